"""Trials of contracts that were made not long ago: a page that is open asks again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.domain.changes.subject import definition_digest
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.try_contract import ContractTrial, try_contract
from orchestrator.store.database.engine import Tx

KEPT_SECONDS = 300.0
_MOST = 50

_Key = tuple[str, str]
_Asked = Callable[[Tx, Workflow, Workflow], ContractTrial]


class KeptTrials:
    """The last trials by both definitions. A trial may take seconds of a thread."""

    def __init__(self, trial: _Asked = try_contract) -> None:
        self._trial = trial
        self._kept: dict[_Key, tuple[float, ContractTrial]] = {}  # the newest is the last

    def __call__(self, tx: Tx, before: Workflow, after: Workflow) -> ContractTrial:
        """What the later contract would make of real events, some minutes old at most."""
        key = definition_digest(before.definition()), definition_digest(after.definition())
        at, found = self._kept.get(key, (float("-inf"), None))
        if found is None or time.monotonic() - at > KEPT_SECONDS:
            found = self._trial(tx, before, after)
            self._kept.pop(key, None)
            self._kept[key] = time.monotonic(), found
            for oldest in list(self._kept)[:-_MOST]:
                self._kept.pop(oldest, None)
        return found
