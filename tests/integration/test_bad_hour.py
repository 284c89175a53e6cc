"""An operator's bad hour: every mistake is seen before or undone after, and each lead arrives once.

A form renames a field. Under pressure the operator guesses, discards the wrong events, replays onto
a tool that is down, and breaks off a run; a colleague mends some of the events at the same time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from orchestrator.domain.access.actor import login
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.repair.amend import fix_events
from orchestrator.store.database.schema import events
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import iso
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.waiting import eventually

pytestmark = pytest.mark.processes

GOOD, FIRST, SECOND = 6, 24, 220  # leads: agreed form, first rename, second (ten times as many)
INCIDENT = ("--incident", "1")
HEEDING_CTRL_C = """\
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
module, sys.argv = sys.argv[1], sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
"""A shell's job in the background ignores Ctrl-C, and so does what it starts."""


@dataclass
class Hour:
    """A running system, and what each lead's owner wants of it."""

    system: System
    wanted: dict[str, str] = field(default_factory=dict)  # tiers by mail address

    def run(self, *words: str, code: int = 0) -> str:
        """A command line to its end; what it printed."""
        program = self.system.meshline(*words)
        ran = subprocess.run(
            program.command,
            env={**os.environ, **program.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def read(self, *words: str) -> dict[str, Any]:
        """The JSON document of a listing."""
        document: dict[str, Any] = json.loads(self.run(*words, "--json"))
        return document

    def incident(self) -> dict[str, Any]:
        return self.read("incidents", "show", "1")

    def accept(self, name: str, first: int, count: int) -> list[str]:
        """Leads whose form calls the tier `name`; their ids."""
        triggers = []
        for number in range(first, first + count):
            tier = "enterprise" if number % 2 else "pro"
            email = f"lead-{number}@example.com"
            self.wanted[email] = tier
            payload: dict[str, object] = {"email": email, name: tier}
            triggers.append(
                Trigger(
                    client="acme",
                    type="lead.created",
                    idempotency_key=email,
                    payload=strict_json.dumps(payload),
                    digest=strict_json.digest(payload),
                )
            )
        accepted = accept_batch(self.system.store, triggers, actor="key:form")
        return [one.id for one in accepted]

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        assert eventually(holds), self.system.counts()

    def quarantined(self, count: int) -> None:
        self.until(lambda: self.system.counts()["quarantined"] == count)


@pytest.fixture
def hour(tmp_path: Path) -> Iterator[Hour]:
    home = tmp_path / "home"
    pair = Pair(store_url=f"sqlite:///{tmp_path / 'store.db'}")
    with running_system(home, pair) as system:
        system.environment["MESHLINE_KEEPER_SECONDS"] = "0.2"
        take_quick_connectors(home / "connectors")
        publish(system)
        system.start_sandbox()
        system.start_relay()
        system.start_worker()
        system.start_keeper()
        yield Hour(system)


def test_a_bad_hour_ends_with_each_lead_delivered_once_as_its_owner_wants(hour: Hour) -> None:
    hour.accept("tier", 0, GOOD)
    hour.until(lambda: hour.system.counts()["delivered"] == GOOD)
    ids = hour.accept("customer_tier", GOOD, FIRST)
    hour.quarantined(FIRST)
    first = hour.incident()
    hour.run("incidents", "ack", "1", "--why", "the form was renamed")

    guess_wrong(hour)
    colleague_mends_two(hour, ids[:2])
    mend_in_bulk(hour)
    discard_and_restore(hour)
    replay_onto_a_dead_tool(hour)
    assert kept(hour.incident()) == kept(first), "a replay alone ends nothing"

    second_rename(hour)
    break_off_a_run(hour)
    hour.system.mend_sandbox()
    hour.run("destinations", "resume", "acme/leads/crm", "--why", "it answers again", code=0)
    hour.until(lambda: hour.system.counts()["delivered"] == GOOD + FIRST + SECOND)

    assert_each_arrived_once_as_wanted(hour)
    assert_times_are_true(hour, first)


def guess_wrong(hour: Hour) -> None:
    wrong = ("--drop", "customer_tier", "--set", "tier=pro", "--why", "everyone is pro")
    hour.run("quarantine", "recipe", *INCIDENT, *wrong, "--apply")


def colleague_mends_two(hour: Hour, ids: list[str]) -> None:
    """Both customers called: they are enterprise, whatever the form says."""
    given = parse_amendments([], ["tier=enterprise"], [])
    done = fix_events(
        hour.system.store, Selection(ids=tuple(ids)), given, actor=login("cli:dana"), again=True
    )
    assert done.ids == ids
    for number in range(GOOD, GOOD + 2):
        hour.wanted[f"lead-{number}@example.com"] = "enterprise"


def mend_in_bulk(hour: Hour) -> None:
    right = ("quarantine", "recipe", *INCIDENT, "--from-original", "--rename", "customer_tier=tier")
    # 1, as a part is left alone: what the colleague did stays.
    assert "passed over 2: amended by cli:dana" in hour.run(*right, "--preview", code=1)
    assert "passed over 2: amended by cli:dana" in hour.run(*right, "--apply", code=1)
    assert "unchanged" in hour.run(*right, "--apply", code=1)


def discard_and_restore(hour: Hour) -> None:
    wrong = ("--workflow", "leads", "--since", "1h")
    preview = hour.run("quarantine", "discard", *wrong, "--why", "old tests", "--dry-run")
    assert f"would discard {FIRST}" in preview
    hour.run("quarantine", "discard", *wrong, "--why", "old tests", "--yes")
    hour.until(lambda: hour.incident()["outcome"])
    assert hour.incident()["outcome"]["discarded"] == FIRST

    hour.run("quarantine", "restore", *wrong, "--why", "that was the wrong filter")
    hour.quarantined(FIRST)
    hour.run("incidents", "ack", "1", "--why", "still on it")


def replay_onto_a_dead_tool(hour: Hour) -> None:
    hour.system.fail_next("error", path="/crm", count=100_000, status=503)
    hour.run("quarantine", "replay", *INCIDENT)
    hour.until(lambda: hour.read("events", "list", "--held")["events"])
    shown = hour.incident()
    assert (shown["state"], shown["under_way"]) == ("acknowledged", FIRST)


def second_rename(hour: Hour) -> None:
    hour.accept("level", GOOD + FIRST, SECOND)
    hour.quarantined(SECOND)
    hour.until(lambda: news_of(hour))


def news_of(hour: Hour) -> list[dict[str, Any]]:
    """What the owner of the acknowledged incident is told once more."""
    return [one for one in hour.read("alerts", "list")["alerts"] if one["kind"] == "news"]


def break_off_a_run(hour: Hour) -> None:
    hour.run("quarantine", "recipe", *INCIDENT, "--rename", "level=tier", "--apply")
    token = hour.read("quarantine", "replay", *INCIDENT, "--plan")["token"]
    program = hour.system.meshline("quarantine", "run", token, "--rate", "10")
    running = subprocess.Popen(
        (sys.executable, "-c", HEEDING_CTRL_C, *program.command[2:]),
        env={**os.environ, **program.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    hour.until(lambda: hour.system.counts()["quarantined"] < SECOND)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=30)
    assert running.returncode == 130, said
    assert f"of {SECOND}" in said and f"meshline quarantine run {token}" in said
    assert "Traceback" not in said
    assert 0 < hour.system.counts()["quarantined"] < SECOND

    assert f"of {SECOND}" in hour.run("quarantine", "run", token)
    hour.quarantined(0)


def kept(incident: dict[str, Any]) -> tuple[object, ...]:
    return tuple(incident[name] for name in ("owner", "recover_by", "opened_at"))


def assert_each_arrived_once_as_wanted(hour: Hour) -> None:
    contacts = [one["fields"] for one in hour.system.ledger("crm/contacts")]
    assert len(contacts) == len(hour.wanted)
    assert {one["email"]: one["tier"] for one in contacts} == hour.wanted
    tickets = [one["fields"]["title"] for one in hour.system.ledger("helpdesk/tickets")]
    enterprise = [email for email, tier in hour.wanted.items() if tier == "enterprise"]
    assert sorted(tickets) == sorted(f"Onboard {email}" for email in enterprise)


def assert_times_are_true(hour: Hour, first: dict[str, Any]) -> None:
    """The incident is over with its last delivery, and its time runs from its first event."""
    hour.until(lambda: hour.incident()["state"] == "resolved")
    shown = hour.incident()
    assert kept(shown) == kept(first)
    assert shown["outcome"]["delivered"] == FIRST + SECOND
    with hour.system.store.read() as tx:
        last = tx.execute(select(func.max(events.c.updated_at))).scalar_one()
    assert shown["resolved_at"] == iso(last)
