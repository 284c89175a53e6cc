"""Intercom by its own document: our requests pass it, and a change of it is never passed over.

Its OpenAPI documents are read from ../shared; a stand-in refuses what a document does not let
through, keeps only what it declares, and its own answers are held to it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.delivery.handoff import Confirmed, Failed, Mismatched, Seen, TakenBack
from tests.vendors.cases import Case
from tests.vendors.changes import breaking_changes
from tests.vendors.document import document
from tests.vendors.documented import DocumentedIntercom
from tests.vendors.driving import Bench, bench_of
from tests.vendors.stand_ins.intercom import CASES, TICKETS

BY_NAME = {case.action: case for case in CASES}
USED = (
    ("POST", "/contacts"),
    ("GET", "/contacts/1"),
    ("PUT", "/contacts/1"),
    ("POST", "/contacts/search"),
    ("POST", "/tickets"),
    ("GET", "/tickets/1"),
    ("PUT", "/tickets/1"),
    ("POST", "/conversations"),
    ("GET", "/conversations/1"),
)

# How assign_ticket had to be written for 2.13.
ASSIGN_BY_2_13 = """
actions:
  assign_ticket:
    idempotency: native_key
    proof: read_back
    required: [ticket_id, admin_id, assignee_id]
    update:
      method: put
      path: "/tickets/{record_id}"
      json: {assignment: {admin_id: "{send.admin_id}", assignee_id: "{send.assignee_id}"}}
    lookup: {path: "/tickets/{send.ticket_id}", absent_status: 404, record_id: id}
    read:
      path: "/tickets/{record_id}"
      fields: {ticket_id: id, assignee_id: {at: admin_assignee_id, as: text}}
"""

# How a contact had to be found before there was find_by_external_id. `per_page` was optional.
UPDATE_BY_2_10 = """
actions:
  update_contact:
    idempotency: native_key
    proof: read_back
    required: [external_id, name]
    update: {method: put, path: "/contacts/{record_id}", json: {name: "{send.name}"}}
    lookup:
      method: post
      path: /contacts/search
      json:
        query: {field: external_id, operator: "=", value: "{send.external_id}"}
        pagination: {starting_after: null}
      items: data
      record_id: id
    read: {path: "/contacts/{record_id}", fields: {name: name}}
"""


def tell(
    action: str,
    version: str,
    environment: pytest.MonkeyPatch,
    folder: Path,
    story: Callable[[Bench], Awaitable[None]],
    *,
    written: str = "",
    **changed: object,
) -> None:
    """A story with the shipped definition, or what is `written` over it, and one version."""
    stand_in = DocumentedIntercom(document(version))
    case: Case = replace(BY_NAME[action], **changed)  # type: ignore[arg-type]
    header = f'headers: {{Intercom-Version: "{version}"}}\n'

    async def whole() -> None:
        async with bench_of(
            case, environment, folder, stand_in=stand_in, written=header + written
        ) as bench:
            await story(bench)

    asyncio.run(whole())
    assert stand_in.untrue == []


@pytest.mark.parametrize("action", BY_NAME)
def test_what_we_send_is_what_the_document_takes(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        outcome = await bench.hand()

        assert isinstance(outcome, Confirmed), outcome

    tell(action, "2.14", monkeypatch, tmp_path, story)


def test_a_contact_that_is_there_is_found_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        first = await bench.hand()
        again = await bench.hand()
        other = await bench.hand(fields={**bench.case.fields, "name": "Somebody Else"})

        assert isinstance(first, Confirmed)
        assert again == Confirmed(record_id=first.record_id, found=True, seen=Seen(updated=True))
        assert isinstance(other, Mismatched)
        assert bench.stored() == 1

    tell("create_contact", "2.14", monkeypatch, tmp_path, story)


def test_a_ticket_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bench: Bench) -> None:
        made = await bench.hand()
        assert isinstance(made, Confirmed)

        outcome = await bench.hand(known=made.record_id, undo=True)

        assert outcome == TakenBack(record_id=made.record_id)
        assert bench.stored() == 0

    tell("create_ticket", "2.14", monkeypatch, tmp_path, story)


def test_a_contact_that_the_document_does_not_let_through_is_refused_and_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        outcome = await bench.hand(fields={"external_id": "u-1", "name": 7})

        assert isinstance(outcome, Failed), outcome
        assert (outcome.permanent, outcome.unknown) == (True, False)
        assert "'name': 7" in outcome.error
        assert bench.stored() == 0

    tell("create_contact", "2.14", monkeypatch, tmp_path, story)


# Drills: the vendor moves on, and the definition does not.


def test_the_changes_that_touch_us_are_found_in_the_documents() -> None:
    assert breaking_changes(document("2.13"), document("2.14"), USED) == {
        "PUT /tickets/1: asked, assignment is gone",
        "PUT /tickets/1: asked, assignment.admin_id is gone",
        "PUT /tickets/1: asked, assignment.assignee_id is gone",
    }
    assert breaking_changes(document("2.10"), document("2.11"), USED) == {
        "POST /contacts/search: asked, pagination.per_page must be there now",
    }


def test_a_change_that_is_not_ours_is_found_where_it_is() -> None:
    exports = [("GET", "/export/content/data/1")]

    found = breaking_changes(document("2.13"), document("2.14"), exports)

    assert found == {"GET /export/content/data/1: answered, job_identfier is gone"}


def test_an_assignment_written_for_2_13_is_right_by_2_13(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        assert isinstance(await bench.hand(), Confirmed)

    tell(
        "assign_ticket", "2.13", monkeypatch, tmp_path, story,
        written=ASSIGN_BY_2_13, fields=AS_TEXT,
    )  # fmt: skip


def test_an_assignment_written_for_2_13_is_a_mismatch_by_2_14(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old place is no longer looked at: the answer is 200, and nobody is assigned."""

    async def story(bench: Bench) -> None:
        outcome = await bench.hand()

        assert isinstance(outcome, Mismatched), outcome
        assert [one.field for one in outcome.differences] == ["assignee_id"]

    tell(
        "assign_ticket", "2.14", monkeypatch, tmp_path, story,
        written=ASSIGN_BY_2_13, fields=AS_TEXT,
    )  # fmt: skip


def test_a_search_written_for_2_10_is_right_by_2_10(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        assert isinstance(await bench.hand(), Confirmed)

    tell(
        "update_contact", "2.10", monkeypatch, tmp_path, story,
        written=UPDATE_BY_2_10, fields=RENAME, confirm=("name",),
    )  # fmt: skip


def test_a_search_written_for_2_10_is_an_error_by_2_11_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        before = {one.id: dict(one.fields) for one in bench.stand_in.kept.values()}

        outcome = await bench.hand()

        assert isinstance(outcome, Failed), outcome
        assert outcome.permanent
        assert "per_page" in outcome.error
        assert {one.id: one.fields for one in bench.stand_in.kept.values()} == before

    tell(
        "update_contact", "2.11", monkeypatch, tmp_path, story,
        written=UPDATE_BY_2_10, fields=RENAME, confirm=("name",),
    )  # fmt: skip


@pytest.mark.parametrize("version", ["2.10", "2.11", "2.13"])
@pytest.mark.parametrize("action", ["create_contact", "create_ticket", "create_conversation"])
def test_what_no_change_touches_stays_confirmed(
    action: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        outcome = await bench.hand()

        assert isinstance(outcome, Confirmed), outcome

    tell(action, version, monkeypatch, tmp_path, story)


AS_TEXT = {"ticket_id": TICKETS[0], "admin_id": "11", "assignee_id": "12"}
RENAME = {"external_id": "u-1", "name": "Ann Lee"}
