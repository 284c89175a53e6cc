"""docs/reference/errors.md: the codes that people script against."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from orchestrator.api import problems
from orchestrator.domain.errors import Refused, StoreUnavailable
from orchestrator.domain.reasons import Reason
from tools.docs.tables import table

_HEAD = """\
# Codes

A code keeps its meaning; the sentence beside it is for people and may change.

## What the door answers

Every refusal of the HTTP door is a problem document (RFC 9457, `application/problem+json`) with
`status`, `code` and `detail`, and where there is one the `field`, the `fix` and, in a batch, the
`index` of the trigger that is refused.

"""

_REASONS = """
## Why an event is in quarantine

`meshline quarantine list --reason CODE` shows those of one code. For what to do about each, see
[reasons.md](reasons.md).

"""

_UNFORESEEN = "Raised when something happens that nobody foresaw; the door's log has the details."


def write() -> str:
    """The page without its first line."""
    return "".join(
        [
            _HEAD,
            table(("code", "status", "when"), _problem_rows()),
            _REASONS,
            table(("code", "what it says"), _reason_rows()),
        ]
    )


def _problem_rows() -> Iterator[tuple[str, str, str]]:
    said = {"store_unavailable": inspect.getdoc(StoreUnavailable), "internal_error": _UNFORESEEN}
    for kind in _tree(Refused):
        said.setdefault(kind.code, inspect.getdoc(kind))  # a code is its first owner's
    for code, status in problems.STATUS.items():
        when = re.sub(r"\s+", " ", said[code] or "").removeprefix("Raised when ").rstrip(".")
        yield f"`{code}`", str(status.value), when


def _tree(kind: type[Refused]) -> Iterator[type[Refused]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


def _reason_rows() -> Iterator[tuple[str, str]]:
    said = dict(re.findall(r'= "(\w+)"  # (.+)', inspect.getsource(Reason)))
    for reason in Reason:
        yield f"`{reason}`", said[reason]
