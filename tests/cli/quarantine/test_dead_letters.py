"""Dead letters are seen, put back as they were, or dropped with a reason."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest
from redis import Redis

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.quarantine.close_dead_letters import requeue_dead_letters
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.cli.desk import CommandLine

LETTER = DeadLetter(
    queue="meshline",
    task="ghost",
    error="no such task",
    headers='{"id": 1}',
    content_type="application/json",
    content_encoding="utf-8",
    body=b"[[], {}, {}]",
)


def bury(meshline: CommandLine, letter: DeadLetter = LETTER) -> str:
    """A message that no worker could read; its id."""
    with meshline.store() as store, store.write() as tx:
        return str(keep_dead_letter(tx, letter))


def test_dead_letters_are_listed_without_their_bodies(meshline: CommandLine) -> None:
    bury(meshline)

    (letter,) = meshline("dead-letters", "list", "--json").document["dead_letters"]

    assert (letter["task"], letter["bytes"], letter["state"]) == ("ghost", 12, "standing")
    assert "body" not in letter
    assert "no such task" in meshline("dead-letters", "list").out


def test_a_list_without_any_says_so(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline("dead-letters", "list").out == "there are no open dead letters\n"
    assert meshline("dead-letters", "list", "--json").document == {"dead_letters": []}


def test_a_dead_letter_is_shown_as_it_was(meshline: CommandLine) -> None:
    number = bury(meshline)

    shown = meshline("dead-letters", "show", number, "--json").document

    assert (shown["body"], shown["headers"]) == ("[[], {}, {}]", {"id": 1})
    assert "[[], {}, {}]" in meshline("dead-letters", "show", number).out


def test_a_body_that_is_not_text_is_shown_in_base64(meshline: CommandLine) -> None:
    number = bury(meshline, replace(LETTER, body=b"\xff\x00"))

    assert meshline("dead-letters", "show", number, "--json").document["body_base64"] == "/wA="


def test_a_dead_letter_cannot_command_the_terminal(meshline: CommandLine) -> None:
    number = bury(meshline, replace(LETTER, task="\x1b[2J", error="\x1b]0;x\x07", body=b"\x1b[2J"))

    shown = meshline("dead-letters", "list").out + meshline("dead-letters", "show", number).out

    assert "\x1b" not in shown


@pytest.mark.parametrize("command", [("show",), ("requeue",), ("drop", "--why", "junk")])
def test_a_dead_letter_that_does_not_exist_is_one_line(
    meshline: CommandLine, command: tuple[str, ...]
) -> None:
    meshline.publish()

    ran = meshline("dead-letters", *command, "7", MESHLINE_BROKER_URL="redis://127.0.0.1:1")

    assert "there is no dead letter 7" in ran.error


@pytest.mark.parametrize("number", ["0", "x", "99999999999999999999"])
def test_what_is_no_id_is_wrong_usage(meshline: CommandLine, number: str) -> None:
    meshline.publish()

    assert meshline("dead-letters", "show", number).code == 2


def test_a_dropped_letter_is_gone_from_the_list_and_not_from_the_store(
    meshline: CommandLine,
) -> None:
    number = bury(meshline)

    ran = meshline("dead-letters", "drop", number, "--why", "a test message")

    assert (ran.code, ran.out) == (0, "dropped 1\n")
    assert meshline("dead-letters", "list", "--json").document["dead_letters"] == []
    (closed,) = meshline("dead-letters", "list", "--closed", "--json").document["dead_letters"]
    assert closed["state"] == "dropped"
    assert meshline("dead-letters", "show", number, "--json").document["why"] == "a test message"
    (row,) = meshline("audit", "--action", "drop", "--json").document["audit"]
    assert row["actor"].startswith("cli:") and row["detail"]["why"] == "a test message"


def test_dropping_it_again_changes_nothing(meshline: CommandLine) -> None:
    number = bury(meshline)
    meshline("dead-letters", "drop", number, "--why", "junk")

    ran = meshline("dead-letters", "drop", number, "--why", "junk")

    assert (ran.code, ran.out) == (0, "dropped 0\n")
    assert ran.err == f"{number} left alone: it is dropped\n"


def test_a_person_at_a_terminal_is_asked_before_a_drop(meshline: CommandLine) -> None:
    number = bury(meshline)
    words = ("dead-letters", "drop", number, "--why", "junk")

    no = meshline.asked(*words, answer="n")
    assert (no.code, no.out) == (1, "")
    assert no.err == "drop 1 dead letter for good? [y/N] nothing was changed\n"
    yes = meshline.asked(*words, answer="y")
    assert (yes.code, yes.out) == (0, "dropped 1\n")


def test_a_drop_without_a_reason_is_wrong_usage(meshline: CommandLine) -> None:
    number = bury(meshline)

    assert "missing option '--why'" in meshline("dead-letters", "drop", number).usage
    assert "reason is blank" in meshline("dead-letters", "drop", number, "--why", " ").usage


@pytest.mark.parametrize("words", [(), ("1", "--all")])
def test_which_ones_has_to_be_said(meshline: CommandLine, words: tuple[str, ...]) -> None:
    bury(meshline)

    assert "--all" in meshline("dead-letters", "drop", "--why", "junk", *words).usage


def test_all_of_them_are_dropped_at_once(meshline: CommandLine) -> None:
    numbers = [int(bury(meshline, replace(LETTER, body=body))) for body in (b"1", b"2")]

    ran = meshline("dead-letters", "drop", "--all", "--why", "junk", "--json")

    assert ran.document == {
        "ids": numbers,
        "skipped": [],
        "returned": {},
        "dry_run": False,
    }


def broker_of(server: EmbeddedServer) -> str:
    """A broker with nothing on it."""
    return f"{server.url.rpartition('/')[0]}/9"


def test_a_requeued_letter_is_on_its_queue_as_it_was(
    meshline: CommandLine, valkey: EmbeddedServer
) -> None:
    queue = uuid.uuid4().hex
    number = bury(meshline, replace(LETTER, queue=queue))

    ran = meshline(
        *("dead-letters", "requeue", number, "--why", "the task is back"),
        MESHLINE_BROKER_URL=broker_of(valkey),
    )

    assert (ran.code, ran.out) == (0, "requeued 1\n")
    with Redis.from_url(broker_of(valkey)) as broker:
        (item,) = broker.lrange(f"meshline:{queue}", 0, -1)
    message = json.loads(item)
    assert (message["body"], message["headers"]) == ("W1tdLCB7fSwge31d", {"id": 1})
    assert (message["content-type"], message["content-encoding"]) == ("application/json", "utf-8")
    (row,) = meshline("audit", "--action", "requeue", "--json").document["audit"]
    assert row["detail"]["why"] == "the task is back"


def test_what_was_no_message_is_back_on_its_list_as_it_was(
    meshline: CommandLine, valkey: EmbeddedServer
) -> None:
    queue = uuid.uuid4().hex
    number = bury(meshline, replace(LETTER, queue=queue, headers=None, body=b"\xff\x00 junk"))

    meshline("dead-letters", "requeue", number, MESHLINE_BROKER_URL=broker_of(valkey))

    with Redis.from_url(broker_of(valkey)) as broker:
        assert broker.lrange(f"meshline:{queue}", 0, -1) == [b"\xff\x00 junk"]


def test_without_a_broker_a_letter_stands_on(meshline: CommandLine) -> None:
    number = bury(meshline)

    ran = meshline("dead-letters", "requeue", number, MESHLINE_BROKER_URL="redis://127.0.0.1:1")

    assert "the broker does not take it" in ran.error
    (letter,) = meshline("dead-letters", "list", "--json").document["dead_letters"]
    assert letter["state"] == "standing"


def test_the_quarantine_lists_them_beside_events(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")
    number = bury(meshline)

    listed = meshline("quarantine", "list", "--json").document

    assert listed["total"] == 2
    assert [one["id"] for one in listed["events"]] == [event_id, None]
    assert listed["events"][1]["dead_letter"] == int(number)
    assert [one["reason"] for one in listed["summary"]] == ["contract_violation", "poison_message"]
    page = meshline("quarantine", "list").out
    assert f"dead letter {number}" in page
    assert listed["events"][1]["owner"] == "-"
    assert "nobody owns them" in meshline("doctor").out


def test_a_steward_owns_them_with_a_clock(meshline: CommandLine) -> None:
    number = bury(meshline)
    with meshline.store() as store:
        keep_clocks(store, TermsShelf(), steward="steward@agency.example")

    (listed,) = meshline("quarantine", "list", "--json").document["events"]
    (incident,) = meshline("incidents", "list", "--json").document["incidents"]

    assert listed["owner"] == incident["owner"] == "steward@agency.example"
    assert listed["recover_by"] == incident["recover_by"]
    assert (incident["kind"], incident["reason"]) == ("platform", "poison_message")
    shown = meshline("incidents", "show", str(incident["id"])).out
    assert f"dead letter {number}" in shown and "meshline dead-letters requeue" in shown
    (owned,) = meshline(
        "quarantine", "list", "--owner", "steward@agency.example", "--json"
    ).document["events"]
    assert owned["dead_letter"] == int(number)
    wrong = meshline("worker", MESHLINE_STEWARD="not an address").error
    assert "MESHLINE_STEWARD" in wrong and "is not an e-mail address" in wrong


def test_what_came_back_is_said_before_it_is_requeued_again(meshline: CommandLine) -> None:
    first = int(bury(meshline))
    with meshline.store() as store:
        requeue_dead_letters(store, [first], lambda _: None, actor=login("cli:ada"))
    number = bury(meshline)

    listed = meshline("dead-letters", "list").out
    preview = meshline("dead-letters", "requeue", number, "--dry-run")
    document = meshline("dead-letters", "requeue", number, "--dry-run", "--json").document

    for said in (listed, preview.err):
        assert "requeued by cli:ada at" in said and "(once)" in said
    assert preview.out == "would requeue 1\n"
    assert document["returned"][number]["times"] == 1
    assert "standing" in meshline("dead-letters", "show", number).out


def test_the_quarantine_narrowed_to_them_has_only_them(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")
    number = bury(meshline)

    listed = meshline("quarantine", "list", "--reason", "poison_message", "--json").document

    assert [one["dead_letter"] for one in listed["events"]] == [int(number)]
    assert listed["total"] == 1


def test_a_dead_letter_asked_for_as_an_event_says_where_it_is(meshline: CommandLine) -> None:
    number = bury(meshline)

    error = meshline("quarantine", "show", number).error

    assert f"`meshline dead-letters show {number}`" in error
