"""docs/reference/telemetry.md: every telemetry event, where it is emitted, its fields and units."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from orchestrator.telemetry import TelemetryEvent
from tools.docs.tables import table

ROOT = Path(__file__).parents[2]

_HEAD = """\
# Telemetry

A telemetry event says what Meshline has just done: a claim, a saved stage, a call, a circuit
breaker that opened. It is emitted after the commit, so nothing is emitted that was rolled back. It
holds names, numbers and codes, and never a payload, the text of an error, a person or a secret. The
store stays the truth: an event may be lost when a process dies.

## Who reads them

"""

_PROCESSES = (
    (
        "door",
        "`TriggersCommitted`, `RequestAccepted`, `RequestRefused`, `SpoolReported`",
        "`GET /metrics`; the log takes no line per request",
    ),
    (
        "relay",
        "`ClaimMade`, pauses that ended, incidents of events that wear their workers out",
        "its log",
    ),
    ("worker", "`StageSaved`, `CallEnded`, circuit breakers, incidents that opened", "its log"),
    ("keeper", "alerts, incidents that were resolved or are late", "its log"),
    (
        "a command",
        "what its act did: a pause, an acknowledgement, a resumption",
        "none: the command says it itself",
    ),
)

_READERS = """
Only the door has `/metrics`. It shows the work of other processes as counts of the store
([HTTP](http.md#metrics)): incidents, alerts, held deliveries and circuit breakers by state. Their
logs have circuit breakers as warnings, incidents and alerts as information, and claims, stages and
calls at the level DEBUG; a worker is started with the level WARNING.

To add a reader, write a class with `reads` and `read` (`Reader` in `orchestrator/telemetry.py`;
`orchestrator/telemetry_log.py` is one) and give it to `add_reader` when the process starts. It is
called from the thread that did the work, so it must not wait. If it raises, the work goes on, and
the log says so once.
"""


def write() -> str:
    """The page without its first line."""
    processes = table(("process", "what it emits", "readers there"), _PROCESSES)
    return "".join([_HEAD, processes, _READERS, *map(_section, get_args(TelemetryEvent))])


def _section(kind: type[TelemetryEvent]) -> str:
    said = inspect.cleandoc(kind.__doc__ or "")
    files = ", ".join(f"`{file}`" for file in emitters(kind))
    fields = table(("field", "type", "what it is"), _fields(kind))
    return f"\n## {kind.__name__}\n\n{said}\n\nEmitted in {files}.\n\n{fields}"


def _fields(kind: type[TelemetryEvent]) -> Iterator[tuple[str, str, str]]:
    lines = re.findall(r"(?m)^    (\w+): (.+?)  # (.+)$", inspect.getsource(kind))
    for name, type_, what in lines:
        yield f"`{name}`", f"`{type_}`", what


def emitters(kind: type[TelemetryEvent]) -> list[str]:
    """The files that emit it: they import it, and a function that emits."""
    return [
        file
        for file, names in _imports().items()
        if kind.__name__ in names and names & {"emit", "emit_after_commit"}
    ]


@cache
def _imports() -> dict[str, set[str]]:
    """What each file imports by name."""
    found = {}
    for folder in ("orchestrator", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            imports = " ".join(re.findall(r"(?ms)^from [\w.]+ import (\([^)]*\)|[^\n]*)$", text))
            found[path.relative_to(ROOT).as_posix()] = set(re.findall(r"\w+", imports))
    return found
