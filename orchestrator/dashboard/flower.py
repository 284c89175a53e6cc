"""Flower, with our tab in its navigation and a login before everything."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.events import EventReceiver
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings as flower_settings
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.routing import URLSpec
from tornado.template import DictLoader
from tornado.web import RequestHandler

from orchestrator.dashboard.destination_page import DestinationPage
from orchestrator.dashboard.linked_page import LinkedIncidentPage
from orchestrator.dashboard.login import PageLogin
from orchestrator.dashboard.pages import routes
from orchestrator.dashboard.reader import StoreReader
from orchestrator.dashboard.signed_links import may_fetch, opened_incident
from orchestrator.dashboard.tasks import events_in, with_events
from orchestrator.dashboard.words import escaped
from orchestrator.outages import FIRST_PAUSE_SECONDS, Outage

log = logging.getLogger(__name__)

# It says OK and nothing else, and what probes it, a container's health check, has no login.
_OPEN = frozenset({"/healthcheck"})
_TAB = """
        <li class="nav-item">
          <a class="nav-link{% if active_tab == 'events' %} active{% end %}"
            href="{{ reverse_url('events') }}"
            {% if active_tab == 'events' %}aria-current="page"{% end %}>Events</a>
        </li>
"""


class EventsFlower(Flower):  # type: ignore[misc] # Flower has no types
    """Flower as we run it. Flower's own buttons are off: what they do, no audit would tell."""

    def __init__(
        self, celery: Celery, *, login: PageLogin, reader: StoreReader, link_key: str
    ) -> None:
        options.basic_auth = [login.credentials]
        options.read_only = True
        self._login = login
        self._link_key = link_key
        self._reader = reader
        loop = IOLoop()  # the current one from here on
        super().__init__(
            capp=celery,
            options=options,
            io_loop=loop,
            events=_PatientEvents(celery, loop, max_tasks_in_memory=options.max_tasks),
            template_loader=load_templates(),
            **flower_settings,
        )
        self.add_handlers(r".*", [*routes(reader), _destinations(reader)])

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        """Let nobody past without the login; Flower itself asks for it page by page."""
        admitted = self._login.admits(request.headers.get("Authorization"))
        if admitted or request.path in _OPEN:
            return super().find_handler(request, **more)
        if number := opened_incident(request.method, request.uri, self._link_key):
            given = {"reader": self._reader}
            return self.get_handler_delegate(request, LinkedIncidentPage, given, [number.encode()])
        referer = request.headers.get("Referer")
        if may_fetch(request.method, request.uri, referer, self._link_key):
            return super().find_handler(request, **more)
        return self.get_handler_delegate(request, _AskForLogin)


def _destinations(reader: StoreReader) -> URLSpec:
    """Where the page of a destination is: its name has slashes."""
    given = {"reader": reader}
    return URLSpec(r"/destinations/(.+)", DestinationPage, given, name="destination")


class _PatientEvents(Events):  # type: ignore[misc] # Flower has no types
    """Flower's ear at the broker; its own waits twice as long after every failure, without end."""

    def run(self) -> None:
        """Listen for as long as the process lives."""
        outage = Outage(log, "the broker does not tell of tasks")
        while True:
            pause = FIRST_PAUSE_SECONDS
            try:
                with self.capp.connection() as connection:
                    EventReceiver(
                        connection, handlers={"*": self.on_event}, app=self.capp
                    ).capture()
            except Exception as error:  # noqa: BLE001 - the broker's libraries raise many kinds
                pause = outage.pause_after(error)
            time.sleep(pause)


class _AskForLogin(RequestHandler):
    def check_xsrf_cookie(self) -> None:
        """Ask for the login first."""

    def prepare(self) -> None:
        """Answer any method."""
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="meshline", charset="UTF-8"')
        self.finish("Log in with MESHLINE_FLOWER_USER and its password.\n")


def load_templates() -> DictLoader:
    """Flower's templates and ours, with our tab at the end of Flower's navigation."""
    texts: dict[str, str] = {}
    for folder in (Path(flower_settings["template_path"]), Path(__file__).parent / "templates"):
        texts |= {one.name: one.read_text("utf-8") for one in folder.glob("*.html")}
    texts["navbar.html"] = with_tab(texts["navbar.html"])
    texts["task.html"] = with_events(texts["task.html"])
    # What every {{ … }} goes through, on Flower's pages too: tasks hold what strangers sent.
    ours = {"escaped": escaped, "events_in": events_in}
    return DictLoader(texts, autoescape="escaped", namespace=ours)


def with_tab(navbar: str) -> str:
    """Flower's navigation with our tab after its last one."""
    head, end, tail = navbar.partition("</ul>")  # its first list holds the tabs
    return f"{head}{_TAB}{end}{tail}"
