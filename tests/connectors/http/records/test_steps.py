"""A record of several requests is made whole, each request once, wherever it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition, read_definition
from connectors.handoff.single import hand_over
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import (
    Action,
    Confirmed,
    Failed,
    Mismatched,
    Outcome,
    Outgoing,
)
from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.settle import GiveUp, settle
from tests.atelier.server import Atelier
from tests.connectors.http.stub import Stub

Run = Callable[..., Any]
DEFINITION = Path(__file__).parents[3] / "atelier" / "atelier.yaml"
SENT: dict[str, object] = {"subject": "Onboard Ana", "text": "Hello\nAna", "city": "Oslo"}
ITEMS = "          items: items\n"
REQUESTS = [
    "POST /api/tickets",
    "POST /api/tickets/100/messages",
    "PUT /api/tickets/100/address",
    "POST /api/tickets/100/notes",
    "GET /api/tickets/100",
]


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

    @property
    def action(self) -> Action:
        return self.connector.actions["open_ticket"]

    def open(self, after: Outcome | None = None, **more: object) -> Outcome:
        """Hand over, at first or after an outcome that was not the last."""
        earlier: Any = after
        call = Outgoing(key="key-1", action="open_ticket", fields={**SENT, **more})
        handoff = hand_over(
            self.connector,
            call,
            confirm=tuple(call.fields),
            look_first=after is not None and earlier.unknown,
            known=earlier.record_id if after is not None else None,
        )
        outcome: Outcome = self.run(handoff)
        return outcome

    def lose(self, said: str, status: int = 500) -> None:
        """Let this be done, and its answer be lost, once."""
        left = [said]

        def lost(asked: str) -> web.StreamResponse | None:
            if asked in left:
                left.remove(asked)
                return web.Response(status=status)
            return None

        self.atelier.after = lost

    def stands_once(self, *, note: bool = True) -> bool:
        tickets, messages = self.atelier.all("tickets"), self.atelier.all("tickets/100/messages")
        notes = self.atelier.all("tickets/100/notes")
        return (
            [one["subject"] for one in tickets] == ["Onboard Ana"]
            and [one["address"]["city"] for one in tickets] == ["Oslo"]
            and [one["text"] for one in messages] == ["Hello\nAna"]
            and len(notes) == int(note)
        )


@pytest.fixture
def desk(run: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ATELIER_URL", stub.url)
    desk = Desk(run, stub)
    yield desk
    run(desk.connector.close())


def test_every_step_is_made_in_order_and_read_back(desk: Desk, stub: Stub) -> None:
    outcome = desk.open(note="by phone")

    assert isinstance(outcome, Confirmed), outcome
    assert outcome.seen.url == f"{stub.url}/api/tickets/100"
    assert desk.stands_once()
    assert desk.atelier.asked[:5] == REQUESTS
    assert desk.action.readable == {"subject", "city", "text", "note"}


def test_a_step_of_which_nothing_was_sent_is_left_out(desk: Desk) -> None:
    outcome = desk.open()

    assert isinstance(outcome, Confirmed), outcome
    assert desk.stands_once(note=False)
    assert not any("notes" in one for one in desk.atelier.asked)


@pytest.mark.parametrize("lost", REQUESTS)
def test_what_is_cut_off_after_any_request_is_made_whole_and_nothing_is_doubled(
    desk: Desk, lost: str
) -> None:
    desk.lose(lost)

    first = desk.open(note="by phone")
    assert isinstance(first, Failed)
    assert not first.permanent
    second = desk.open(after=first, note="by phone")

    assert isinstance(second, Confirmed), second
    assert desk.stands_once()


@pytest.mark.parametrize("lost", REQUESTS)
def test_a_kill_after_any_request_leaves_only_the_key_and_that_is_enough(
    desk: Desk, lost: str
) -> None:
    """What a killed process knew is gone: the record's id too."""
    desk.lose(lost)
    killed = Failed(error="the run is gone", unknown=True)
    desk.open(note="by phone")

    second = desk.open(after=killed, note="by phone")

    assert isinstance(second, Confirmed), second
    assert desk.stands_once()


def test_a_step_that_is_refused_says_which_and_leaves_the_record_known(desk: Desk) -> None:
    desk.lose("POST /api/tickets/100/messages", status=422)

    outcome = desk.open()

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert outcome.record_id == "100"
    assert outcome.error.startswith("atelier: message answered 422")


def test_a_step_that_lacks_what_was_sent_is_a_mismatch(desk: Desk) -> None:
    desk.atelier.after = lambda asked: (
        desk.atelier.change("tickets/100/messages", "100", text="Hi")
        if asked == "PUT /api/tickets/100/address"
        else None
    )

    outcome = desk.open()

    assert isinstance(outcome, Mismatched)
    assert [one.field for one in outcome.differences] == ["text"]


def test_a_step_that_nothing_tells_of_is_left_to_a_person(desk: Desk) -> None:
    text = DEFINITION.read_text()
    start = text.index("        done:\n          path: /api/tickets/{record_id}/messages")
    end = text.index("      - name: address")
    desk.define((text[:start] + text[end:]).replace("optional: [note]", "optional: [note]"))
    desk.lose("POST /api/tickets/100/messages")

    first = desk.open()
    second = desk.open(after=first)
    settled = settle(second, attempt=2, action=desk.action, policy=RetryPolicy(), jitter=0.5)

    assert isinstance(second, Failed)
    assert second.error.endswith(
        "an earlier call may have done it, and there is no way to look it up"
    )
    assert isinstance(settled, GiveUp)
    assert (settled.reason, settled.record_id) == (Reason.UNKNOWN_OUTCOME, "100")
    assert len(desk.atelier.all("tickets/100/messages")) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: address", "name: message", "another step has this name"),
        (
            "          items: items\n          fields: {text",
            "          fields: {text",
            "items: PATH",
        ),
        ('query: {ref: "{key}"}\n          items', "items", "it would find what others did"),
        ("method: put\n", "repeatable: true\n", "does not send the key"),
        (
            "fields: {subject: subject, city: address.city}",
            "fields: ''",
            "name the fields of `read`",
        ),
        ("{at: text, as: trimmed}", "{at: text, as: trimed}", "no known way to compare"),
        ("fields: {note: text}", "fields: {nota: text}", "the action takes no field nota"),
        ('json: {city: "{send.city}"}', 'json: {city: "{version}"}', "take {version} out"),
        ("{send.note}", "none", "note is taken and never sent"),
        ("      - name: address\n", "      - nam: address\n", "write `name`"),
        ("        method: put\n", "        method: get\n", "method"),
        ("        method: put\n", "        method: put\n        good: {is: 1}\n", "then.1.good.0"),
        (
            ITEMS,
            f"{ITEMS}          good: {{header: 'a b'}}\n",
            "then.0.done.good.0.header: it is not",
        ),
        (
            ITEMS,
            f"{ITEMS}          headers: {{Host: x}}\n",
            "then.0.done.headers.Host: this header",
        ),
        (ITEMS, f"{ITEMS}          whole: true\n          more: a\n", "then.0.done.whole: a list"),
    ],
)
def test_a_step_that_cannot_be_is_refused(old: str, new: str, said: str) -> None:
    text = DEFINITION.read_text()
    assert old in text

    with pytest.raises(InvalidFile) as refused:
        parse_definition(text.replace(old, new, 1), name="atelier.yaml")

    assert any(said in str(fault) for fault in refused.value.faults), refused.value.faults


def test_the_file_from_which_these_start_is_right() -> None:
    assert read_definition(DEFINITION).connector == "atelier"
