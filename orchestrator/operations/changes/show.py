"""Look at a change, and say what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from orchestrator.domain.changes.states import OPEN, ChangeKind
from orchestrator.domain.changes.words.difference import difference_in_words
from orchestrator.domain.changes.words.wording import Wording
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.hold import no_change
from orchestrator.operations.changes.try_contract import ContractTrial, try_contract
from orchestrator.store.changes.backtests import Backtest, find_backtest
from orchestrator.store.changes.views import ChangeView, show_change
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.workflow_versions import show_workflow


def find_change(tx: Tx, token: str, clients: frozenset[str] | None) -> ChangeView:
    """A change of one of these clients; None: of any. Raises NotFound."""
    found = show_change(tx, token, clients)
    if found is None:
        raise no_change(token)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainedChange(ChangeView):
    """A change with what it means, for who decides about it."""

    words: tuple[Wording, ...]  # its differences, in sentences
    contract: ContractTrial | None  # None: it is over, or there is nothing that it changes
    backtest: Backtest | None  # the newest of it as it is; None: nobody asked for one


Trial = Callable[[Tx, Workflow, Workflow], ContractTrial]
"""What the contract of a later version would make of real events, beside that of an earlier one."""


def explain_change(
    tx: Tx, token: str, clients: frozenset[str] | None, *, trial: Trial = try_contract
) -> ExplainedChange:
    """The same with its differences in words, its contract tried on real events while it is open.

    `trial` tries it. Raises NotFound.
    """
    found = find_change(tx, token, clients)
    before = _base_of(tx, found)
    after = None if found.kind == ChangeKind.RETIRE else _read(found.definition)
    tried = before is not None and after is not None and found.state in OPEN
    return ExplainedChange(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        words=difference_in_words(before, after),
        contract=trial(tx, before, after) if tried and before and after else None,
        backtest=find_backtest(tx, found.change, found.round, found.base_version),
    )


def _base_of(tx: Tx, change: ChangeView) -> Workflow | None:
    """What was live when it was proposed."""
    if change.base_version is None:
        return None
    base = show_workflow(tx, change.client, change.workflow, version=change.base_version)
    return None if base is None else _read(base.shown.definition)


def _read(definition: Mapping[str, object]) -> Workflow:
    # Also what an older rule let in is shown.
    return Workflow.from_published(definition)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of a change."""

    change: str  # its token
    client: str
    workflow: str
    state: str  # a ChangeState
    live_version: int | None  # that it made; None: not yet, or none
    go_live_at: str | None  # ISO 8601 in UTC; None: it waits for no time
    expires_at: str  # of one that is open: when nobody decided in time
    job: int | None = None  # that runs the replay plan which was approved with it


def settled(tx: Tx, token: str) -> Settled:
    """What became of it. Raises NotFound."""
    found = find_change(tx, token, None)
    return Settled(
        change=found.change,
        client=found.client,
        workflow=found.workflow,
        state=found.state,
        live_version=found.live_version,
        go_live_at=found.go_live_at,
        expires_at=found.expires_at,
    )
