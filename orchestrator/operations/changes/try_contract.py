"""What a new contract would make of real events: how many it newly refuses, or newly passes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from orchestrator.domain.changes.gates.evidence import TRIAL_DAYS, ContractTrial
from orchestrator.domain.changes.words.covering import TOLD, covers
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.pipeline.validate import validate_or_amend
from orchestrator.store.changes.recent_payloads import RecentEvents, payloads_that_came
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import iso_time

DAYS = TRIAL_DAYS
MOST_EVENTS = 2_000
MOST_SECONDS = 3.0
_CHUNK = 100
_MOST_EXAMPLES = 5


def try_contract(tx: Tx, before: Workflow, after: Workflow, recent: RecentEvents) -> ContractTrial:
    """Hold recent payloads against both versions, as many as there is time for."""
    answer = covers(after, before)
    refused: list[str] = []
    passing = tried = 0
    if (both := _compiled(before, after)) is not None and not _same_verdicts(before, after):
        for event, was, now in _verdicts(tx, recent.ids, *both):
            tried += 1
            passing += was and not now
            if now and not was:
                refused.append(event)
    elif both is not None:
        tried = len(recent.ids)
    return ContractTrial(
        covers=answer.value,
        says=TOLD[answer],
        since=iso_time(recent.since),
        events=tried,
        whole=recent.whole and tried == len(recent.ids),
        newly_refused=len(refused),
        newly_passing=passing,
        examples=tuple(refused[:_MOST_EXAMPLES]),
    )


def _same_verdicts(before: Workflow, after: Workflow) -> bool:
    """Whether no payload can have another verdict, so that none has to be tried."""
    return (before.contract, before.formats, before.amend) == (
        after.contract,
        after.formats,
        after.amend,
    )


def _compiled(
    before: Workflow, after: Workflow
) -> tuple[CompiledWorkflow, CompiledWorkflow] | None:
    """None where one of them cannot be compiled any more, by a rule that is stricter now."""
    try:
        return compile_workflow(before), compile_workflow(after)
    except InvalidFile:
        return None


def _verdicts(
    tx: Tx, ids: tuple[str, ...], before: CompiledWorkflow, after: CompiledWorkflow
) -> Iterator[tuple[str, bool, bool]]:
    """Each event with whether it is refused today, and then; as many as there is time for."""
    over = time.monotonic() + MOST_SECONDS
    for start in range(0, len(ids), _CHUNK):
        for event, payload in payloads_that_came(tx, ids[start : start + _CHUNK]):
            if time.monotonic() > over:
                return
            was, now = (validate_or_amend(payload, one) for one in (before, after))
            yield event, isinstance(was, Rejected), isinstance(now, Rejected)
