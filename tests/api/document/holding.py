"""Send what /openapi.json allows and what it does not, and hold each answer against it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister

from orchestrator.settings import LOOPBACK
from tests.api.desk.stories import Desk
from tests.api.document.known import Known

# 412 and 422 may answer what the document allows: what has changed, and rules beyond a schema,
# such as a duration that is too long. 304 is the answer to who knows the state already.
_ACCEPTED = ("2xx", "304", "401", "403", "404", "409", "412", "422")


NEVER_DONE = {
    "POST /v1/changes/{change}/decision",
    "POST /v1/changes/{change}/waivers",
    "POST /v1/changes/{change}/break-glass",
    "POST /v1/approvals/{event}/decision",
    "POST /v1/approval-groups/{group}/decision",
}
"""The key is an admin's, who approves and waives nothing and is no backstop."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What came of it."""

    statuses: Mapping[str, Counter[int]]  # how often each was answered, by operation
    failures: Sequence[str]  # each with the request that shows it

    @property
    def requests(self) -> int:
        """How many were sent."""
        return sum(one.total() for one in self.statuses.values())

    @property
    def never_done(self) -> set[str]:
        """The operations that no request reached."""
        return {
            label
            for label, found in self.statuses.items()
            if not any(200 <= status < 300 for status in found)
        }


def hold(desk: Desk, *, seed: int, examples: int) -> Held:
    """All phases of schemathesis over all routes; the same seed sends the same requests."""
    known = Known(desk)

    @schemathesis.hook
    def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
        known.put(case)

    statuses: defaultdict[str, Counter[int]] = defaultdict(Counter)
    failures: dict[str, str] = {}
    try:
        for event in from_schema(_schema(desk, seed, examples)).execute():
            if isinstance(event, NonFatalError | FatalError):
                told = (
                    event.info.format()
                    if isinstance(event, NonFatalError)
                    else repr(event.exception)
                )
                failures[told] = told
            if isinstance(event, ScenarioFinished):
                for label, status in _answers(event.recorder):
                    statuses[label][status] += 1
                failures.update(_failures(event.recorder))
    finally:
        unregister(before_call)
    return Held(statuses=dict(statuses), failures=list(failures.values()))


def _schema(desk: Desk, seed: int, examples: int) -> schemathesis.BaseSchema:
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": f"Bearer {desk.door.key}"},
            # How seldom a made-up request fits a pattern says nothing of the door.
            "suppress-health-check": ["filter_too_much", "too_slow"],
            "generation": {"deterministic": True, "max-examples": examples, "no-shrink": True},
            "checks": {"positive_data_acceptance": {"expected-statuses": list(_ACCEPTED)}},
        }
    )
    return schemathesis.openapi.from_url(
        f"http://{LOOPBACK}:{desk.door.port}/openapi.json", config=config
    )


def _answers(recorder: ScenarioRecorder) -> Iterator[tuple[str, int]]:
    for case, one in recorder.interactions.items():
        if one.response is not None and case in recorder.cases:
            yield recorder.cases[case].value.operation.label, one.response.status_code


def _failures(recorder: ScenarioRecorder) -> Iterator[tuple[str, str]]:
    for case, checks in recorder.checks.items():
        label = recorder.cases[case].value.operation.label
        for one in checks:
            if (found := one.failure_info) is not None:
                told = f"{label}: {found.failure.title}: {found.failure.message}"
                yield f"{label} {found.failure.title}", f"{told}\n{found.code_sample}"
