"""What we touch inside Flower: a new version that moves one of these is seen here, by its name."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from celery import Celery
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings
from flower.utils import template
from flower.utils.tasks import search_tasks
from flower.views import BaseHandler
from tornado.ioloop import IOLoop

from orchestrator.dashboard.flower import EventsFlower, load_templates
from orchestrator.dashboard.flower_frame import with_ours, with_tabs
from orchestrator.dashboard.tasks import events_in, tasks_of, with_events
from orchestrator.domain.lifecycle import Stage
from workers.chain import _shown

TEMPLATES = Path(settings["template_path"])
OURS = Path(inspect.getfile(EventsFlower)).parent


def parameters(function: object) -> set[str]:
    return set(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_this_is_the_flower_that_the_tab_was_made_for() -> None:
    found = version("flower")

    assert found.startswith("2.2."), (
        f"flower {found} is new: run this file, look at the tab in both themes, then raise this"
    )


def test_flower_still_takes_what_we_hand_it() -> None:
    missing = {"capp", "options", "events", "io_loop"} - parameters(Flower.__init__)
    assert not missing, f"Flower.__init__ has lost {missing}"

    missing = {"capp", "io_loop", "max_tasks_in_memory"} - parameters(Events.__init__)
    assert not missing, f"flower.events.Events.__init__ has lost {missing}"

    for name in ("start", "stop"):
        assert callable(getattr(Flower, name, None)), f"Flower.{name} is gone"
    for name in ("run", "on_event"):
        assert callable(getattr(Events, name, None)), f"flower.events.Events.{name} is gone"


@pytest.mark.parametrize("name", ["basic_auth", "read_only", "max_tasks", "auth", "url_prefix"])
def test_flower_still_has_the_option(name: str) -> None:
    assert name in options, f"flower's option {name} is gone"


def test_flower_is_open_only_where_it_was() -> None:
    checks = inspect.getsource(BaseHandler.get_current_user)
    assert "basic_auth" in checks, "BaseHandler.get_current_user asks no basic_auth any more"

    guards = inspect.getsource(BaseHandler.check_xsrf_cookie)
    assert "Sec-Fetch-Site" in guards, "BaseHandler.check_xsrf_cookie lets other sites write"


def test_flower_still_escapes_arguments_unless_told_otherwise() -> None:
    escape = inspect.signature(BaseHandler.get_argument).parameters.get("escape")

    assert escape is not None, "BaseHandler.get_argument has no `escape` any more"
    assert escape.default is True


def test_our_words_are_not_flowers() -> None:
    theirs = {name for name, _ in inspect.getmembers(template, inspect.isfunction)}

    assert "format_count" in theirs, "flower.utils.template.format_count is gone"
    doubled = theirs & {
        "moment", "distance", "told", "told_blocker", "told_hold", "held", "closed", "tasks",
        "at_held", "or_nothing", "events", "event", "now",
    }  # fmt: skip
    assert not doubled, f"BaseHandler.render refuses {doubled}: flower.utils.template has it too"


def test_the_settings_still_name_templates_and_static_files() -> None:
    missing = {"template_path", "static_path", "xsrf_cookies", "cookie_secret"} - set(settings)

    assert not missing, f"flower.urls.settings has lost {missing}"


def test_the_first_list_of_the_navigation_still_holds_the_tabs() -> None:
    navbar = (TEMPLATES / "navbar.html").read_text()
    first_list, end, _ = navbar.partition("</ul>")

    assert end, "navbar.html has no list any more"
    names = re.findall(r"reverse_url\('(\w+)'\)", first_list)
    assert names[-3:] == ["workers", "tasks", "broker"], f"navbar.html's first list has {names}"
    assert "active_tab == 'broker'" in first_list, "navbar.html marks the active tab otherwise"
    ours = with_tabs(navbar).partition("</ul>")[0]
    assert ours.index("our_tabs()") < ours.index("workers") < ours.index("shortcuts-open")


def test_the_frame_of_a_page_still_takes_our_styles_and_our_script() -> None:
    ours = with_ours((TEMPLATES / "base.html").read_text())

    assert ours.count("desk.css") == ours.count("desk.js") == 1
    assert ours.index("desk.css") < ours.index("<body") < ours.index("live.js")
    assert ours.index("live.js") < ours.index("desk.js"), "it reads what the other rewrites"


def test_the_page_of_a_task_still_has_the_place_for_its_events() -> None:
    page = (TEMPLATES / "task.html").read_text()

    assert "{{ task.args }}" in page, "task.html shows a task's arguments otherwise"
    assert with_events(page) != page, "task.html has lost the row `Keyword arguments`"
    missing = {"events", "search", "limit"} - parameters(search_tasks)
    assert not missing, f"flower.utils.tasks.search_tasks has lost {missing}"


def test_a_task_and_its_events_lead_to_each_other() -> None:
    flower = Events(Celery("meshline"), IOLoop(make_current=False), max_tasks_in_memory=10)
    one, two = "0" * 31 + "1", "0" * 31 + "2"
    for number, ids in enumerate([[one], [one, two]]):
        shown = _shown(Stage.VALIDATE, ids, epoch=number)
        flower.state.event(
            {
                "type": "task-received", "uuid": f"a-task-{number}", "name": "meshline.validate",
                "args": shown, "kwargs": "", "hostname": "w", "timestamp": 1_000.0 + number,
                "local_received": 1_000.0, "clock": number,
            }
        )  # fmt: skip
        assert events_in(shown) == ids

    assert [task.id for task in tasks_of(flower, one)] == ["a-task-1", "a-task-0"]
    assert [task.id for task in tasks_of(flower, two)] == ["a-task-1"]
    assert tasks_of(flower, two)[0].state == "RECEIVED"
    assert tasks_of(flower, "AND (") == tasks_of(flower, "f" * 32) == []


@pytest.mark.parametrize(
    "arguments", [None, "", "('events=xyz',)", "validate events=../../etc epoch=1", "events=abc "]
)
def test_other_tasks_have_no_events(arguments: object) -> None:
    assert events_in(arguments) == []


@pytest.mark.parametrize("block", ["title", "navbar", "container"])
def test_the_frame_of_every_page_still_has_the_block(block: str) -> None:
    frame = (TEMPLATES / "base.html").read_text()

    assert f"{{% block {block} %}}" in frame, f"base.html has no block {block} any more"


def test_the_frame_still_has_the_theme_and_the_skip_link() -> None:
    frame = (TEMPLATES / "base.html").read_text()

    assert "js/theme.js" in frame, "base.html loads the theme otherwise"
    assert 'class="skip-link" href="#main-content"' in frame, "base.html has lost its skip link"


def test_every_template_compiles_with_flowers() -> None:
    loader = load_templates()

    for page in (OURS / "templates").glob("*.html"):
        loader.load(page.name)  # raises where it extends or names what is not there
    loader.load("task.html")


def test_flowers_style_sheets_still_know_our_classes_and_colours() -> None:
    static = Path(settings["static_path"]) / "css"
    known = (static / "flower.css").read_text() + (static / "bootstrap.min.css").read_text()
    pages = "".join(one.read_text() for one in (OURS / "templates").glob("*.html"))

    used = {name for names in re.findall(r'class="([^"{]*)', pages) for name in names.split()}
    styled = used - {name for name in used if name.startswith(("events-", "desk-"))}
    lost = {name for name in styled if f".{name}" not in known}
    assert not lost, f"flower.css and bootstrap know {lost} no more"

    for one in (OURS / "static").glob("*.css"):
        own = one.read_text()  # one that goes out as a file of its own has colours of its own
        colours = set(re.findall(r"var\((--[\w-]+)\)", own))
        lost = {name for name in colours if f"{name}:" not in known + own}
        assert not lost, f"flower.css has no {lost} any more"
