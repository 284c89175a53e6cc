"""How often a page asks the store: as often for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from orchestrator.dashboard.filters import PageFilters
from orchestrator.dashboard.incident_filters import IncidentFilters
from orchestrator.dashboard.pages.alerts import AlertFilters, look_for_alerts
from orchestrator.dashboard.pages.audit import AuditFilters, file_of_rows, look_for_rows
from orchestrator.dashboard.pages.dead_letters import (
    LetterFilters,
    look_at_letter,
    look_for_letters,
)
from orchestrator.dashboard.pages.destination import look_at_destination
from orchestrator.dashboard.pages.destinations import DestinationFilters, look_for_destinations
from orchestrator.dashboard.pages.event import look_at_event
from orchestrator.dashboard.pages.events import look_for_events
from orchestrator.dashboard.pages.incident import one_incident
from orchestrator.dashboard.pages.incidents import look_for_incidents
from orchestrator.dashboard.pages.jobs import look_at_job
from orchestrator.dashboard.pages.now import look_now
from orchestrator.dashboard.pages.plans.page import look_at_plan
from orchestrator.dashboard.pages.workflows.list import (
    WorkflowFilters,
    file_of_inventory,
    look_for_workflows,
)
from orchestrator.dashboard.pages.workflows.page import look_at_workflow
from orchestrator.domain.access.actor import login
from orchestrator.domain.incidents.incident import HELD
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.presenting.personal.gate import NO_CLIENT, shown
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import incidents
from orchestrator.store.desk.job_items import incidents_of_items
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.views.events.last_acts import last_act_of_incident
from orchestrator.store.views.events.show import list_events
from orchestrator.store.views.jobs import jobs_on_incident
from orchestrator.store.views.quarantine.list import place_in_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.dashboard.filled import Filled, fill
from tests.leads import CATALOG, TEXT, accept_leads, publish_leads, renamed_lead
from tests.plans import RECIPE, frozen
from tests.stores import open_new

LIMITS = {
    "now": 16,
    "incidents": 16,
    "events": 9,
    "event": 20,  # also the request of a source that it came in, and its trace
    "incident": 15,
    "destination": 14,  # beside the rest, what a pause or a resumption would do
    "destinations": 12,
    "workflows": 13,  # one more than before: which of them have an open change
    "workflow": 16,  # also its open changes
    "dead letters": 6,
    "dead letter": 5,
    "alerts": 6,
    "audit": 9,
    "audit file": 9,
    "inventory file": 9,
}
"""Statements per page. Whoever raises one says why a person waits longer."""


def looks(store: Store, filled: Filled) -> dict[str, Callable[[Tx], object]]:
    """What each page asks, with filters that cost the most."""
    whose = IncidentFilters(client="acme", workflow="leads", owner="triage@acme.example")
    of_one = WorkflowFilters(client="acme", owner="triage@acme.example")
    rows = AuditFilters(client="acme", workflow="leads", since="3d", until="1s", actor="keeper")
    recent = PageFilters(client="acme", workflow="leads", since="3d")
    return {
        "now": look_now,
        "incidents": lambda tx: look_for_incidents(tx, whose),
        "events": lambda tx: look_for_events(tx, recent),
        "event": lambda tx: look_at_event(tx, filled.renamed),
        "incident": lambda tx: one_incident(tx, store, 1, lambda _tx, both: both),
        "destination": lambda tx: look_at_destination(tx, "acme/leads/crm"),
        "destinations": lambda tx: look_for_destinations(tx, DestinationFilters(client="acme")),
        "workflows": lambda tx: look_for_workflows(tx, of_one),
        "workflow": lambda tx: look_at_workflow(tx, "acme", "leads"),
        "dead letters": lambda tx: look_for_letters(tx, LetterFilters(state="all")),
        "dead letter": lambda tx: look_at_letter(tx, 1),
        "alerts": lambda tx: look_for_alerts(tx, AlertFilters(client="acme", workflow="leads")),
        "audit": lambda tx: look_for_rows(tx, rows),
        "audit file": lambda tx: file_of_rows(tx, rows, "csv"),
        "inventory file": lambda tx: file_of_inventory(tx, of_one, "json"),
    }


def count_statements(store: Store, look: Callable[[Tx], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    with store.read() as tx:
        look(tx)
    event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


def crowd(store: Store) -> None:
    """Many more incidents, each of deliveries that are held, more events, letters, workflows."""
    accept_leads(store, 60)
    for number in range(1, 10):
        keep_letter(store, number)
        named = TEXT.replace("workflow: leads", f"workflow: leads-{number}")
        publish_leads(store, named.replace("lead.created", f"lead.created-{number}"))
    with store.write() as tx:
        one = dict(tx.execute(select(incidents).limit(1)).mappings().one())
        del one["id"]
        copies = [
            one | {"cause": f"cause-{number}", "reason": HELD, "destination": "crm"}
            for number in range(60)
        ]
        tx.execute(insert(incidents), copies)


def keep_letter(store: Store, number: int) -> None:
    letter = DeadLetter(queue="meshline", error="-", body=b"%d" % number, headers=None)
    with store.write() as tx:
        keep_dead_letter(tx, letter)


@pytest.mark.parametrize("page", LIMITS)
def test_a_page_asks_as_often_for_many_rows_as_for_few(store: Store, page: str) -> None:
    filled = fill(store)
    keep_letter(store, 0)
    look = looks(store, filled)[page]
    few = count_statements(store, look)
    crowd(store)
    many = count_statements(store, look)

    assert many <= LIMITS[page], f"{few} for few rows, {many} for many"


def test_a_plan_and_its_job_ask_as_often_for_many_events_as_for_few(store: Store) -> None:
    tokens = [frozen(store, 2)]
    accept_batch(store, [renamed_lead(number) for number in range(100, 140)], actor="key:test")
    validate_leads(store)
    every = Selection(workflow="leads")
    mend_events(store, every, RECIPE, actor=login("cli:ada"))
    tokens.append(plan_replay(store, every, catalog=CATALOG, actor=login("cli:ada")).token)
    jobs = [start_plan_job(store, token, actor=login("cli:ada")) for token in tokens]

    plans = [count_statements(store, partial(look_at_plan, token=one)) for one in tokens]
    found = [count_statements(store, partial(look_at_job, number=one)) for one in jobs]

    assert plans[0] == plans[1] <= 14  # two ask whether it is about what a version made
    assert found[0] == found[1] <= 10  # the same two


def test_what_is_held_is_not_looked_for_among_all_events_of_a_workflow(tmp_path: Path) -> None:
    """On SQLite: PostgreSQL knows how few deliveries are held."""
    with closing(open_new(tmp_path / "store.db")) as store:
        filled = fill(store)
        crowd(store)
        every = [*looks(store, filled).values(), lambda tx: look_now(tx, frozenset({"acme"}))]
        plans = [plan for look in every for plan in plans_of_held(store, look)]

    assert len(plans) > 5
    assert not [plan for plan in plans if "sqlite_autoindex_events" in plan]


def test_what_is_under_way_is_not_looked_for_among_all_that_ever_came(tmp_path: Path) -> None:
    """On SQLite: pages of destinations read a million deliveries to find a few hundred."""
    with closing(open_new(tmp_path / "store.db")) as store:
        filled = fill(store)
        crowd(store)
        asked = [
            *(looks(store, filled)[page] for page in ("now", "destination", "destinations")),
            lambda tx: look_for_destinations(tx, DestinationFilters()),
            lambda tx: look_at_destination(tx, "fake"),
        ]
        plans = [plan for look in asked for plan in plans_of(store, look, "due_at IS NOT NULL")]

    assert len(plans) > 5
    assert not [plan for plan in plans if "SCAN deliveries" in plan or "SCAN events" in plan]


def test_a_job_is_known_by_its_next_events_and_not_by_all_of_an_incident(tmp_path: Path) -> None:
    """On SQLite: the page of an incident with 65,000 events ran out of time beside one job."""
    with closing(open_new(tmp_path / "store.db")) as store:
        fill(store)
        (plan,) = plans_of(store, lambda tx: jobs_on_incident(tx, 1), "job_items")

    assert plan.count("ix_quarantine_standing") == 2
    assert "ix_quarantine_incident" not in plan


def test_the_stays_of_an_event_are_found_by_indexes_and_not_among_all(tmp_path: Path) -> None:
    """On SQLite, and PostgreSQL has no other index: they grow with all that ever was there."""
    with closing(open_new(tmp_path / "store.db")) as store:
        event_id = fill(store).renamed
        asked: list[Callable[[Tx], object]] = [
            lambda tx: look_at_event(tx, event_id),
            lambda tx: place_in_quarantine(tx, event_id),
            lambda tx: incidents_of_items(tx, 1),
            lambda tx: last_act_of_incident(tx, 1, since=0),
        ]
        plans = [plan for look in asked for plan in plans_of(store, look, "quarantine.outcome IN")]

    assert len(plans) == 4
    assert not [plan for plan in plans if "SCAN quarantine" in plan]


def plans_of_held(store: Store, look: Callable[[Tx], object]) -> list[str]:
    """How SQLite runs the statements that read held deliveries."""
    return plans_of(store, look, "held_by IS NOT NULL")


def plans_of(store: Store, look: Callable[[Tx], object], said: str) -> list[str]:
    """How SQLite runs the statements of a page that say so."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, given: Any, *_more: object) -> None:
        asked.append((text, given))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.read() as tx:
        look(tx)
    event.remove(store.engine, "before_cursor_execute", note)
    chosen = [(text, given) for text, given in asked if said in text]
    with store.read() as tx:
        return [
            "\n".join(row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given))
            for text, given in chosen
        ]


def test_masks_take_as_many_statements_for_many_events_as_for_few(store: Store) -> None:
    publish_leads(store, TEXT.replace("x-pii: false", "x-pii: email"))
    accept_leads(store, 2)
    bare = count_statements(store, list_events)
    few = count_statements(store, look_with_masks)
    accept_leads(store, 40)
    many = count_statements(store, look_with_masks)

    assert bare < few == many


def look_with_masks(tx: Tx) -> None:
    shown(tx, list_events(tx), sees=NO_CLIENT)
