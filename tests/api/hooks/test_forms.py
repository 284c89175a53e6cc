"""A form of a page posts straight to the door: a browser and a script both get what they need."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from orchestrator.api.headers.preferences import prefers_html
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from orchestrator.store.views.events.show import show_event
from tests.api.doors import RunningDoor, open_door, problem
from tests.hooks import FORM, FORM_KEY, PAGE

ADDRESS = f"/v1/hooks/contact/{FORM_KEY}"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with one form."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "contact.yaml").write_text(FORM)
    return folder


def submit(door: RunningDoor, *, origin: str = PAGE, **options: object) -> httpx.Response:
    fields = {"email": "ada@example.com", "tier": "pro", "website": "", "form_id": "1"}
    headers = {"origin": origin, "accept": "*/*"}
    return door.ask("POST", ADDRESS, **{"data": fields, "headers": headers, **options})


def test_a_form_is_committed_and_a_script_reads_the_answer(
    hooked: RunningDoor, store: Store
) -> None:
    answer, again = submit(hooked), submit(hooked)

    assert (answer.status_code, again.json()["duplicate"]) == (202, True)
    assert answer.headers["access-control-allow-origin"] == PAGE
    with store.read() as tx:
        event = show_event(tx, answer.json()["id"], with_payload=True)
    assert event and event.content
    assert event.content.payload == {"email": "ada@example.com", "tier": "pro", "form_id": "1"}
    assert (event.workflow, event.history[0].actor) == ("leads", "source:contact")


def test_a_browser_goes_on_to_the_page_that_the_form_names(hooked: RunningDoor) -> None:
    answer = submit(hooked, headers={"origin": PAGE, "accept": "text/html,*/*"})

    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/thanks")


def test_a_multipart_form_is_taken_and_a_file_in_it_is_not(hooked: RunningDoor) -> None:
    fields = {"lead[email]": (None, "ada@example.com"), "lead[tags][]": (None, "a")}
    file = {"cv": ("cv.txt", b"me")}

    assert submit(hooked, data=None, files=fields).status_code == 202
    refused = problem(submit(hooked, data=None, files=file), 422, "invalid_trigger")
    assert refused["field"] == "cv"


def test_other_pages_other_keys_and_full_traps_are_refused_and_nothing_is_kept(
    hooked: RunningDoor, store: Store
) -> None:
    other = submit(hooked, origin="https://evil.example")
    key = hooked.ask("POST", "/v1/hooks/contact/pk_0", data={}, headers={"origin": PAGE})
    trap = submit(hooked, data={"email": "ada@example.com", "website": "x"})

    assert "origins" in problem(other, 403, "form_refused")["fix"]
    assert "key of this form" in problem(key, 403, "form_refused")["detail"]
    problem(trap, 422, "invalid_trigger")
    assert "access-control-allow-origin" not in other.headers
    assert trap.headers["access-control-allow-origin"] == PAGE
    with store.read() as tx:
        assert tx.execute(select(events.c.id)).all() == []


def test_a_browser_that_asks_first_gets_leave_for_the_pages_that_the_form_names(
    hooked: RunningDoor,
) -> None:
    good = hooked.ask("OPTIONS", ADDRESS, headers={"origin": PAGE})
    bad = hooked.ask("OPTIONS", ADDRESS, headers={"origin": "https://evil.example"})

    assert (good.status_code, bad.status_code) == (204, 204)
    assert good.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-origin" not in bad.headers


def test_a_form_that_sends_too_much_is_told_to_wait(hooked: RunningDoor) -> None:
    strangers = [submit(hooked, origin="https://evil.example") for _ in range(6)]
    answers = [submit(hooked) for _ in range(6)]

    assert {one.status_code for one in strangers} == {403}  # and they take nothing of the rate
    assert [one.status_code for one in answers] == [202] * 5 + [429]
    assert answers[0].headers["ratelimit"].startswith('"rate";r=4;t=720, "quota";r=9999;t=')
    assert answers[0].headers["ratelimit-policy"].startswith('"rate";q=5;w=3600, "quota";q=10000;')
    refused = problem(answers[5], 429, "rate_limited")
    assert refused["detail"] == "the source may send 5 events in 3600 s"
    assert 700 < int(answers[5].headers["retry-after"]) <= 720
    assert "Retry-After" in answers[5].headers["access-control-expose-headers"]


def test_a_form_that_was_refused_for_what_it_says_counts_in_the_rate(hooked: RunningDoor) -> None:
    trap = {"email": "ada@example.com", "website": "x"}

    answers = [submit(hooked, data=trap).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


BROWSER = {"origin": PAGE, "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_a_page_that_says_which_field_is_wrong(hooked: RunningDoor) -> None:
    trap = {"email": "ada@example.com", "website": "<script>x"}

    page = submit(hooked, data=trap, headers=BROWSER)

    assert (page.status_code, page.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert '<html lang="en">' in page.text and "<h1>Your form was not sent</h1>" in page.text
    assert '<p role="alert">The field <strong>website</strong>: it is not empty.</p>' in page.text
    assert "signature" not in page.text and "<script>" not in page.text


def test_no_page_of_a_form_says_what_is_inside(hooked: RunningDoor) -> None:
    evil = "<b>&[x"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    pages = [
        submit(hooked, headers={**BROWSER, "origin": "https://evil.example"}),
        submit(hooked, data=None, content=b"a=%ff", headers={**BROWSER, **kind}),
        submit(hooked, data={evil: "1"}, headers=BROWSER),
        submit(hooked, data={"a": "x" * 1_100_000}, headers=BROWSER),
        *(submit(hooked, headers=BROWSER) for _ in range(4)),
    ]

    assert [one.status_code for one in pages[:4]] == [403, 400, 422, 413]
    assert "This page may not send this form." in pages[0].text
    assert "&lt;b&gt;&amp;[x" in pages[2].text
    assert "write less" in pages[3].text
    last = pages[-1]
    assert (last.status_code, "More forms came" in last.text) == (429, True)
    assert f"wait {last.headers['retry-after']} s" in last.text
    for one in pages[:4]:
        for word in ("signature", "meshline", "origins", "MESHLINE_", evil):
            assert word not in one.text


def test_a_form_may_name_the_page_where_a_refused_one_goes(
    hooked: RunningDoor, sources: Path, store: Store
) -> None:
    other = FORM.replace("contact", "asked").replace(
        "redirect:", f"on_error: {PAGE}/no?a=1#b\n  redirect:"
    )
    (sources / "asked.yaml").write_text(other)
    address = ADDRESS.replace("contact", "asked")
    with open_door(store, Settings(stop_seconds=5, sources=sources)) as door:
        trap = {"website": "x"}
        page = door.ask("POST", address, data=trap, headers=BROWSER)
        script = door.ask("POST", address, data=trap, headers={**BROWSER, "accept": "*/*"})

    query = "a=1&error=invalid_trigger&field=website"
    assert (page.status_code, page.headers["location"]) == (303, f"{PAGE}/no?{query}#b")
    problem(script, 422, "invalid_trigger")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json;q=0.5, TEXT/HTML ; q=0.6", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_a_page_is_for_who_asks_for_it(accept: str, wanted: bool) -> None:
    assert prefers_html(accept) is wanted
