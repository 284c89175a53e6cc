"""The header by which a request says what waits in its producer's spool."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from orchestrator.telemetry import SpoolReported, emit, read_kinds

HEADER = "meshline-spool"

_MOST_DIGITS = 12
_NUMBER = rf"(waiting|oldest|refused)=([0-9]{{1,{_MOST_DIGITS}}})"
_FIELD = re.compile(_NUMBER + r"|(id)=([0-9a-f]{1,32})|(kind)=(spool|outbox)")


def hear_of_spool(headers: Headers, key: str) -> None:
    """Emit what a request says of its producer's spool; `key` is the id of the producer's key.

    A header that cannot be read is passed over: it must not cost an event.
    """
    said = headers.get(HEADER)
    if said is None or SpoolReported not in read_kinds:
        return
    numbers: dict[str, int] = {}
    spool, kind = "", "spool"
    for part in said[:200].split(","):
        if found := _FIELD.fullmatch(part.strip()):
            if found[1]:
                numbers[found[1]] = int(found[2])
            elif found[3]:
                spool = found[4]
            else:
                kind = found[6]
    if "waiting" in numbers:
        emit(
            SpoolReported(
                key=key,
                spool=spool,
                kind=kind,
                waiting=numbers["waiting"],
                refused=numbers.get("refused", 0),
                oldest_seconds=numbers.get("oldest", 0),
            )
        )
