"""The payloads to try: one document, a list of them, or a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.terminal.payloads import STDIN, limits, opened, part_of
from orchestrator.domain.documents.json_elements import elements, is_array
from orchestrator.domain.documents.json_faults import Fault
from orchestrator.domain.errors import InvalidJson, PayloadTooLarge, Refused

MOST = 10_000
_LINES = {".jsonl", ".ndjson"}
_LINE = re.compile(rb"[^\s][^\n]*")


@dataclass(frozen=True, kw_only=True)
class Given:
    """One payload, or why the door would not take it."""

    line: int  # where it begins in what was given, from 1
    payload: object
    refused: Refused | None = None


def given_payloads(data: str) -> Iterator[Given]:
    """The payloads of `--data`: JSON itself, where it begins as such, a file, or `-` for stdin.

    Raises OSError, Refused.
    """
    inline = is_inline(data)
    raw = data.encode() if inline else _read(Path(data))
    if not raw.strip():
        raise Refused("it holds no payload", field="--data", fix="give a JSON document")
    ending = "" if inline else Path(data).suffix
    return _bounded(_given(raw, start, end) for start, end in _places(raw, ending))


def is_inline(data: str) -> bool:
    """Whether the text is JSON itself, and not the name of a file."""
    return data.lstrip()[:1] in ("{", "[")


def _read(path: Path) -> bytes:
    most = limits().max_batch_bytes
    with opened(path) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        problem = f"{'stdin' if path == STDIN else path} is over {most} bytes"
        raise PayloadTooLarge(problem, field="--data", fix="try a part of it")
    return raw


def _places(raw: bytes, ending: str) -> Iterator[tuple[int, int]]:
    """Start and end of each payload."""
    if ending not in _LINES and is_array(raw):
        yield from _entries(raw)
    elif ending in _LINES or _is_lines(raw):
        yield from ((line.start(), line.end()) for line in _LINE.finditer(raw))
    else:
        yield 0, len(raw)


def _entries(raw: bytes) -> Iterator[tuple[int, int]]:
    bounds = limits()
    try:
        yield from elements(raw, longest=bounds.max_body_bytes, max_depth=bounds.max_depth)
    except Fault as fault:
        raise fault.told(raw, "--data") from None


def _is_lines(raw: bytes) -> bool:
    """Whether the first line is a document by itself, and there is another line."""
    first, second = next(found := _LINE.finditer(raw)), next(found, None)
    return second is not None and _given(raw, first.start(), first.end()).refused is None


def _given(raw: bytes, start: int, end: int) -> Given:
    line = raw.count(b"\n", 0, start) + 1
    try:
        return Given(line=line, payload=part_of(raw, start, end, "payload"))
    except (InvalidJson, PayloadTooLarge) as error:
        return Given(line=line, payload=None, refused=error)


def _bounded(payloads: Iterator[Given]) -> Iterator[Given]:
    """The payloads until there are too many. Raises Refused."""
    for number, given in enumerate(payloads):
        if number == MOST:
            raise Refused(f"it holds more than {MOST:,} payloads", fix="try a part of them")
        yield given
