"""What waits for a yes at the command line: list, show, approve, refuse; alone or in groups."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.access.roles import Role
from orchestrator.operations.access.people import disable_person
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import event_approvals
from tests.cli.desk import CommandLine
from tests.leads import accept_leads
from tests.people import ADMIN, key_of, logged_in
from tests.store.approvals.asked import APPROVER, OPERATOR, OTHER, drive, event, with_people


@pytest.fixture
def asking(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Two leads wait, and the approver acts by a key of theirs."""
    with meshline.store() as store:
        with_people(store)
        ids = accept_leads(store, 2, tier="enterprise")
        drive(store)
        key = key_of(store, APPROVER, Role.APPROVER, "acme")
    meshline.names = {"first": ids[0], "second": ids[1]}
    monkeypatch.setenv("MESHLINE_ACTOR", key)
    return meshline


def state_of(asking: CommandLine, name: str) -> str:
    with asking.store() as store:
        return event(store, asking.names[name]).state


def test_one_is_approved_as_it_was_shown_and_one_is_refused(asking: CommandLine) -> None:
    first, second = asking.names["first"], asking.names["second"]
    listed = asking("approvals", "list", "--json").document["approvals"]
    shown = asking("approvals", "show", first)
    document = asking("approvals", "show", first, "--json").document

    wrong = asking("approvals", "approve", first, "--digest", "0" * 64)
    done = asking("approvals", "approve", first, "--digest", document["digest"], "--why", "known")
    refused = asking("approvals", "refuse", second, "--why", "not to them")

    assert [one["event"] for one in listed] == [first, second]
    assert "Onboard lead-0@example.com" in shown.out
    assert f"meshline approvals approve {first} --digest {document['digest']}" in shown.err
    assert "would not send what you looked at" in wrong.error
    assert (done.code, refused.code) == (0, 0), done.err + refused.err
    assert (state_of(asking, "first"), state_of(asking, "second")) == ("routed", "quarantined")
    again = asking("approvals", "approve", first)
    assert "it was approved at" in again.error and f"by person:{APPROVER}" in again.error
    assert asking("approvals", "list", "--json").document["approvals"] == []
    every = asking("approvals", "list", "--all", "--json").document["approvals"]
    assert [(one["state"], one["grade"]) for one in every] == [
        ("approved", "api_key"), ("refused", "api_key"),
    ]  # fmt: skip
    story = asking("events", "show", first).out
    assert "request approval" in story and "known" in story and document["digest"] in story


def test_a_group_is_approved_by_its_token_and_its_digest(asking: CommandLine) -> None:
    (group,) = asking("approvals", "list", "--groups", "--json").document["groups"]
    shown = asking("approvals", "show", group["group"])

    without = asking("approvals", "approve", group["group"])
    done = asking("approvals", "approve", group["group"], "--digest", group["digest"])

    assert group["digest"] in shown.out
    assert "a group is decided about as it was looked at" in without.error
    assert done.code == 0, done.err
    assert "2 events are approved" in done.out
    assert (state_of(asking, "first"), state_of(asking, "second")) == ("routed", "routed")


def test_a_name_alone_proves_nothing(asking: CommandLine) -> None:
    named = asking("approvals", "approve", asking.names["first"], "--as", APPROVER)

    assert "takes a proof of who acts" in named.error
    assert state_of(asking, "first") == "awaiting_approval"


def test_nothing_that_waits_is_said_to_be_nothing(meshline: CommandLine) -> None:
    meshline.publish()

    assert "nothing waits for a yes" in meshline("approvals", "list").err


def test_an_event_that_waits_says_for_what(asking: CommandLine) -> None:
    first = asking.names["first"]

    assert f"meshline approvals show {first}" in asking("events", "show", first).out


def checks(asking: CommandLine, **who: str) -> list[str]:
    """What the doctor says of events that wait for a yes."""
    found = asking("doctor", "--json", **who).document["checks"]
    return [f"{one['health']}: {one['found']}" for one in found if one["check"] == CHECK]


CHECK = "events to approve"


def test_the_doctor_counts_what_waits_and_finds_what_nobody_may_decide(
    asking: CommandLine,
) -> None:
    before = checks(asking)
    with asking.store() as store:
        with store.write() as tx:
            tx.execute(update(event_approvals).values(remind_at=after(-2), decide_by=after(-1)))
        for mail in (APPROVER, OTHER):
            disable_person(store, mail, actor=logged_in(store, ADMIN))

    late = checks(asking, MESHLINE_ACTOR=ADMIN)

    assert before == [
        "ok: 2 events wait for a yes, of 0 half of the time is over: `meshline approvals list`"
    ]
    assert "attention: acme/leads asks, and nobody has the role approver there" in late
    assert "attention: the time to decide about 2 events is over, and no keeper ended it" in late


def test_where_no_workflow_asks_the_doctor_says_nothing_of_it(meshline: CommandLine) -> None:
    meshline.publish()

    assert checks(meshline) == []


def test_what_waits_is_neither_discarded_nor_replayed(asking: CommandLine) -> None:
    first = asking.names["first"]
    with asking.store() as store:
        operator = key_of(store, OPERATOR, Role.OPERATOR, "acme")

    discarded = asking("quarantine", "discard", first, "--why", "junk", MESHLINE_ACTOR=operator)
    replayed = asking("quarantine", "replay", first, MESHLINE_ACTOR=operator)

    assert state_of(asking, "first") == "awaiting_approval"
    assert "awaiting_approval" in discarded.out + discarded.err
    assert "awaiting_approval" in replayed.out + replayed.err
