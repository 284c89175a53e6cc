"""What a look-up finds is changed, what it does not find is made, and nobody's change is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.handoff.single import hand_over
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import (
    Blame,
    Confirmed,
    Failed,
    Mismatched,
    Outcome,
    Outgoing,
    Seen,
    TakenBack,
)
from tests.atelier.server import Atelier
from tests.connectors.http.stub import Stub

Run = Callable[..., Any]
DEFINITION = Path(__file__).parents[3] / "atelier" / "atelier.yaml"
ANA: dict[str, object] = {"email": "Ana@example.com", "name": "Ana Lind"}
KEPT = {"email": "ana@example.com", "name": "Ana"}
PAGE = "https://atelier.example.com/contacts/100"


class Desk:
    """The made-up system and a connector to it."""

    def __init__(self, run: Run, stub: Stub) -> None:
        self.atelier = Atelier()
        stub.handle_with(self.atelier.handle)
        self.run = run
        self.define(DEFINITION.read_text())

    def define(self, text: str) -> None:
        said = parse_definition(text, name="atelier.yaml")
        assert isinstance(said, HttpDefinition)
        self.connector = HttpConnector(said, folder=None, client=HttpClient)

    def keep(self, *, seen: Seen | None = None, fields: Any = None, **how: Any) -> Outcome:
        call = Outgoing(
            key="key-1", action="keep_contact", fields=fields or ANA, seen=seen or Seen()
        )
        how = {"look_first": False, **how}
        outcome: Outcome = self.run(
            hand_over(self.connector, call, confirm=tuple(call.fields), **how)
        )
        return outcome

    def lose(self, *said: str) -> None:
        """Let these be done, and their answers be lost, each once."""
        left = list(said)

        def lost(asked: str) -> web.StreamResponse | None:
            if asked in left:
                left.remove(asked)
                return web.Response(status=500)
            return None

        self.atelier.after = lost


@pytest.fixture
def desk(run: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ATELIER_URL", stub.url)
    desk = Desk(run, stub)
    yield desk
    run(desk.connector.close())


def test_what_is_not_there_is_made_and_told_where_people_find_it(desk: Desk) -> None:
    outcome = desk.keep()

    assert outcome == Confirmed(record_id="100", seen=Seen(url=PAGE, version='"v1"'))
    assert desk.atelier.all("contacts") == [{"email": "ana@example.com", "name": "Ana Lind"}]


def test_what_is_there_is_changed_and_is_not_ours_to_delete(desk: Desk) -> None:
    desk.atelier.put("contacts", **KEPT, phone="1")

    outcome = desk.keep()

    seen = Seen(url=PAGE, version='"v2"', updated=True)
    assert outcome == Confirmed(record_id="100", seen=seen)
    assert desk.atelier.all("contacts") == [{**KEPT, "name": "Ana Lind", "phone": "1"}]

    refused = desk.keep(known="100", undo=True, seen=seen)

    assert isinstance(refused, Failed)
    assert refused.permanent
    assert "was there before this event, as far as is known, and is not taken back" in refused.error
    assert len(desk.atelier.all("contacts")) == 1


def test_what_was_made_is_taken_back_unless_somebody_changed_it_since(desk: Desk) -> None:
    made = desk.keep()
    assert isinstance(made, Confirmed)
    desk.atelier.change("contacts", "100", phone="1")

    refused = desk.keep(known="100", undo=True, seen=made.seen)
    gone = desk.keep(known="100", undo=True, seen=Seen(version='"v2"'))

    assert isinstance(refused, Failed)
    assert (refused.permanent, refused.blame) == (True, Blame.CALL)
    assert "somebody changed the record since it was looked at" in refused.error
    assert gone == TakenBack(record_id="100")
    assert desk.atelier.all("contacts") == []


def test_without_a_known_state_nothing_is_taken_back(desk: Desk) -> None:
    desk.keep()

    refused = desk.keep(known="100", undo=True)

    assert isinstance(refused, Failed)
    assert "the record's version is not known" in refused.error
    assert len(desk.atelier.all("contacts")) == 1


@pytest.mark.parametrize(
    "lost",
    [
        "GET /api/contacts",
        "POST /api/contacts",
        "GET /api/contacts/100",
    ],
)
def test_a_create_that_is_cut_off_anywhere_makes_one_record(desk: Desk, lost: str) -> None:
    desk.lose(lost)

    first = desk.keep()
    assert isinstance(first, Failed)
    assert not first.permanent
    second = desk.keep(look_first=first.unknown, known=first.record_id, seen=first.seen)

    assert isinstance(second, Confirmed), second
    assert len(desk.atelier.all("contacts")) == 1
    assert second.seen.url == PAGE


@pytest.mark.parametrize("lost", ["GET /api/contacts/100", "PATCH /api/contacts/100"])
def test_an_update_that_is_cut_off_is_made_again(desk: Desk, lost: str) -> None:
    desk.atelier.put("contacts", **KEPT)
    desk.lose(lost)

    first = desk.keep()
    assert isinstance(first, Failed)
    second = desk.keep(look_first=first.unknown, known=first.record_id, seen=first.seen)

    assert isinstance(second, Confirmed), second
    assert second.seen.updated
    assert desk.atelier.all("contacts") == [{**KEPT, "name": "Ana Lind"}]


@pytest.mark.parametrize("conflict", ["", "    conflict: {status: [409, 412]}\n"])
def test_a_record_that_somebody_changed_meanwhile_is_looked_at_again_once(
    desk: Desk, conflict: str
) -> None:
    lookup = "    lookup:\n      path: /api/contacts\n"
    text = DEFINITION.read_text().replace(lookup, f"{conflict}{lookup}")
    word = "conflict" if conflict else "lookup"
    desk.define(text.replace("idempotency: lookup", f"idempotency: {word}", 1))
    desk.atelier.put("contacts", **KEPT)
    changes = [{"phone": "1"}]
    desk.atelier.after = between(desk.atelier, changes)

    outcome = desk.keep()

    assert isinstance(outcome, Confirmed), outcome
    assert desk.atelier.all("contacts") == [{**KEPT, "name": "Ana Lind", "phone": "1"}]
    assert desk.atelier.asked.count("PATCH /api/contacts/100") == 2


def test_one_that_is_changed_again_and_again_comes_later_and_is_nobodys_fault(desk: Desk) -> None:
    desk.atelier.put("contacts", **KEPT)
    desk.atelier.after = between(desk.atelier, [{"phone": str(one)} for one in range(9)])

    outcome = desk.keep()

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown, outcome.blame) == (False, False, Blame.CALL)
    assert desk.atelier.all("contacts")[0]["name"] == "Ana"


def between(atelier: Atelier, changes: list[dict[str, str]]) -> Any:
    """Changes the record whenever it has been read."""

    def change(asked: str) -> None:
        if asked == "GET /api/contacts/100" and changes:
            atelier.change("contacts", "100", **changes.pop(0))

    return change


@pytest.mark.parametrize("email", ["", "  "])
def test_nothing_is_looked_up_by_an_empty_field(desk: Desk, email: str) -> None:
    desk.atelier.put("contacts", **KEPT)

    outcome = desk.keep(fields={**ANA, "email": email})

    assert isinstance(outcome, Failed)
    assert "email is empty, and the record is found by it" in outcome.error
    assert desk.atelier.asked == []


def test_of_two_that_are_found_none_is_changed(desk: Desk) -> None:
    desk.atelier.put("contacts", **KEPT)
    desk.atelier.put("contacts", **KEPT)

    outcome = desk.keep()

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert desk.atelier.all("contacts") == [KEPT, KEPT]


def test_a_number_is_kept_as_a_number(desk: Desk) -> None:
    outcome = desk.keep(fields={**ANA, "seats": 3})

    assert isinstance(outcome, Confirmed)
    assert desk.atelier.all("contacts")[0]["seats"] == 3


def test_an_update_that_another_record_stands_in_the_way_of_is_refused_and_touches_no_other(
    desk: Desk,
) -> None:
    """The value that only one record may have is another's: nothing more is written, to neither."""
    rule = "errors:\n  - {status: 409, means: conflict}\nactions:"
    named = '      headers: {If-Match: "{version}"}\n      json'
    text = DEFINITION.read_text().replace("actions:", rule, 1)
    desk.define(text.replace(named, "      json", 1))
    desk.atelier.put("contacts", **KEPT)
    desk.atelier.after = lambda asked: (
        web.json_response({"id": "7"}, status=409) if asked.startswith("PATCH ") else None
    )

    outcome = desk.keep()

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert desk.atelier.asked[-1] == "PATCH /api/contacts/100"


def test_of_two_that_are_found_on_two_pages_none_is_changed(desk: Desk) -> None:
    text = DEFINITION.read_text()
    where = 'where: {email: "{send.email|lower}"}'
    assert where in text
    desk.define(text.replace(where, f"{where}\n      next: {{page: page}}", 1))
    page = {"id": "100", **KEPT}
    pages = [{"items": [page]}, {"items": [{**page, "id": "101"}]}, {"items": []}]
    desk.atelier.after = lambda asked: (
        web.json_response(pages.pop(0)) if asked == "GET /api/contacts" else None
    )

    outcome = desk.keep()

    assert isinstance(outcome, Failed)
    assert "records on two pages carry the key" in outcome.error
    assert set(desk.atelier.asked) == {"GET /api/contacts"}


def test_a_change_that_the_system_drops_is_a_mismatch(desk: Desk) -> None:
    desk.atelier.put("contacts", **KEPT)
    changed = desk.atelier.change
    desk.atelier.change = lambda *where, **_: changed(*where)  # type: ignore[method-assign]

    outcome = desk.keep()

    assert isinstance(outcome, Mismatched)
    assert outcome.seen.updated
