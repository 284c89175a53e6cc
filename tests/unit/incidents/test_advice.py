from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.delivery.blockers import Blocker, told_blocker
from orchestrator.domain.delivery.breakers import FAILING, PAUSED, RATE_LIMITED, UNAUTHORIZED
from orchestrator.domain.incidents.advice import ADVICE, BLOCKED, advise
from orchestrator.domain.incidents.incident import FURTHER, HELD, LATE, LOW_RATE
from orchestrator.domain.reasons import Reason


@pytest.mark.parametrize("reason", [*Reason, HELD, LATE, LOW_RATE, FURTHER])
def test_every_reason_of_an_incident_has_its_steps(reason: str) -> None:
    assert ADVICE[reason]


@pytest.mark.parametrize("reason", [PAUSED, FAILING, UNAUTHORIZED, RATE_LIMITED])
def test_everything_that_holds_deliveries_back_has_its_steps(reason: str) -> None:
    assert BLOCKED[reason]


def test_a_command_names_the_incident_or_the_event() -> None:
    incident = advise(Reason.NO_ROUTE, client="acme", workflow="lead-routing", incident=7)
    event = advise(Reason.NO_ROUTE, client="acme", workflow="lead-routing", event_id="0a")

    assert incident[0].command == "meshline quarantine list --incident 7"
    assert event[0].command == "meshline quarantine show 0a"
    assert incident[-1].command == "meshline quarantine replay --incident 7 --plan"
    assert event[-1].command == "meshline quarantine replay 0a --plan"


def test_held_deliveries_are_told_what_ends_each_thing_that_holds_them() -> None:
    blockers = {"acme/lead-routing/desk": PAUSED, "helpdesk.create_ticket": FAILING}

    told = advise(HELD, client="acme", workflow="lead-routing", incident=7, blockers=blockers)

    commands = [one.command for one in told]
    assert "meshline destinations resume acme/lead-routing/desk --why 'the reason'" in commands
    assert "meshline destinations resume helpdesk.create_ticket --why 'the reason'" in commands


def test_held_deliveries_that_nothing_holds_back_any_more_go_out_by_themselves() -> None:
    [step] = advise(HELD, client="acme", workflow="lead-routing", incident=7, blockers={})

    assert "by itself" in step.do


def test_a_pause_is_told_with_who_why_and_until_when() -> None:
    pause = Blocker(
        name="helpdesk", held=2, block="pause", breaker="closed", circuit="helpdesk",
        reason=PAUSED, error="a migration", since="8:00", by="dana@acme.example", until="10:00",
        next_probe=None,
    )  # fmt: skip

    said = "helpdesk is paused since 8:00, until 10:00, by dana@acme.example: a migration"
    assert told_blocker(pause, str) == said
    endless = told_blocker(replace(pause, until=None), str)
    assert "until somebody resumes it, by dana@acme.example" in endless


def test_an_open_circuit_breaker_is_told_with_its_next_try() -> None:
    opened = Blocker(
        name="helpdesk", held=2, block="breaker", breaker="open", circuit="helpdesk",
        reason=FAILING, error="503", since="8:00", by="worker:dispatch", until=None,
        next_probe="8:01",
    )  # fmt: skip

    said = "the circuit breaker of helpdesk is open (failing) since 8:00; the next try is due 8:01"
    assert told_blocker(opened, str) == f"{said}: 503"
