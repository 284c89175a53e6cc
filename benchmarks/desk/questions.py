"""What people ask of the desk: each command, and the functions that it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.desk.leads import RENAMED, WORKFLOW
from orchestrator.cli.terminal.selecting import Filters
from orchestrator.domain.reasons import Reason
from orchestrator.operations.repair.diagnose import Diagnosis, examine
from orchestrator.operations.repair.find import find_repair
from orchestrator.operations.replay.judge import with_next_steps
from orchestrator.presenting.findings import finding_document
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.held_deliveries import held_beside
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.incidents.list import (
    Sought,
    count_incidents,
    count_ungrouped,
    list_incidents,
)
from orchestrator.store.views.incidents.page import show_incident
from orchestrator.store.views.quarantine.list import count_reasons, list_quarantine
from orchestrator.store.views.quarantine.messages import count_poison, list_poison
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of

_LIMIT = 50  # rows, where the command is not told otherwise
_RARE = "company-77"

Document = dict[str, Any]
Ask = Callable[[Store], object]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One command of the desk; `ask` answers the document that it prints with --json."""

    title: str
    arguments: tuple[str, ...]
    ask: Ask


def questions(store: Store, incident: int, late: int) -> list[Question]:
    """The desk's commands; `incident` has most events, `late` began in the middle of them."""
    with store.read() as tx:
        event = str(list_quarantine(tx, Selection(incident=incident), limit=1)[0].id)
    about = ("--workflow", WORKFLOW, "--reason", Reason.CONTRACT_VIOLATION.value)
    asked: list[tuple[str, tuple[str, ...], Ask]] = [
        ("incidents list", (), _incidents),
        ("incidents show N", (str(incident),), partial(_incident, number=incident)),
        ("quarantine list", (), partial(_standing, filters=Filters())),
        (
            "quarantine list --workflow … --reason …",
            about,
            partial(
                _standing, filters=Filters(workflow=WORKFLOW, reason=Reason.CONTRACT_VIOLATION)
            ),
        ),
        *(
            (
                f"quarantine list --text {text}",
                ("--text", text),
                partial(_standing, filters=Filters(text=text)),
            )
            for text in (RENAMED, _RARE)
        ),
        ("quarantine show ID", (event,), partial(_event, event_id=event)),
        *(
            (
                f"quarantine diagnose --incident {name}",
                ("--incident", str(number)),
                partial(_diagnosis, filters=Filters(incident=number)),
            )
            for name, number in (("N", incident), ("LATE", late))
        ),
    ]
    return [
        Question(title=title, arguments=(*title.split()[:2], *said, "--json"), ask=ask)
        for title, said, ask in asked
    ]


def _incidents(store: Store) -> Document:
    with store.read() as tx:
        now_of(tx)
        rows = list_incidents(tx, Sought(), limit=_LIMIT)
        total, ungrouped = count_incidents(tx, Sought()), count_ungrouped(tx)
    return {"total": total, "ungrouped": ungrouped, "incidents": rows}


def _incident(store: Store, *, number: int) -> Document:
    with store.read() as tx:
        now_of(tx)
        page = show_incident(tx, number)
    assert page is not None
    repair = find_repair(store, page)
    return {
        **page.as_json(),
        "diagnosis": [finding_document(one) for one in repair.findings],
        "recipes": list(repair.saved),
        "repair": repair.counts(),
        "fix": list(repair.fix),
    }


def _standing(store: Store, *, filters: Filters) -> Document:
    selection = filters.selection(store)
    with store.read() as tx:
        now_of(tx)
        summary = count_reasons(tx, selection) + count_poison(tx, selection)
        rows: list[object] = [
            *list_quarantine(tx, selection, limit=_LIMIT),
            *list_poison(tx, selection, limit=_LIMIT),
        ]
        held = held_beside(tx, selection)
    total = sum(one.events for one in summary)
    return {"total": total, "summary": summary, "events": rows, "held": held}


def _event(store: Store, *, event_id: str) -> object:
    with store.read() as tx:
        now_of(tx)
        return with_next_steps(tx, show_event(tx, event_id, with_payload=True))


def _diagnosis(store: Store, *, filters: Filters) -> Document:
    found = examine(store, filters.selection(store))
    return {
        "diagnosis": [
            {**_whose(one), **finding_document(finding)}
            for one in found
            for finding in one.findings
        ],
        "workflows": [
            {**_whose(one), "events": one.events, "broken": one.broken, "accepted": one.accepted}
            for one in found
        ],
    }


def _whose(one: Diagnosis) -> Document:
    return {"client": one.client, "workflow": one.workflow}
