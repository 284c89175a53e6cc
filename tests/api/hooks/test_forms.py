"""A form of a page posts straight to the door: a browser and a script both get what they need."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from orchestrator.store.views.events.show import show_event
from tests.api.doors import RunningDoor, problem
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

    problem(other, 401, "signature_refused")
    problem(key, 401, "signature_refused")
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
    answers = [submit(hooked) for _ in range(6)]

    assert [one.status_code for one in answers] == [202] * 5 + [429]
    assert problem(answers[5], 429, "key_busy")["detail"] == "this form sends too much"
    assert answers[5].headers["retry-after"] == "1"
