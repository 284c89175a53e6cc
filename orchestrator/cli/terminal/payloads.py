"""Payloads from the command line, held to the limits that the door holds its callers to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import PayloadTooLarge

if TYPE_CHECKING:
    from orchestrator.settings import Settings

STDIN = Path("-")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read; `-` is stdin."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def payload_of(raw: bytes, field: str) -> object:
    """The payload of one document; `field` is how an error calls it.

    Raises InvalidJson, PayloadTooLarge.
    """
    return part_of(raw, 0, len(raw), field)


def part_of(raw: bytes, start: int, end: int, field: str) -> object:
    """The payload in `raw[start:end]`, its faults placed in the whole of `raw`.

    Raises InvalidJson, PayloadTooLarge.
    """
    bounds = limits()
    if end - start > bounds.max_body_bytes:
        raise PayloadTooLarge(
            f"it is over {bounds.max_body_bytes} bytes",
            field=field,
            fix="send less, or raise MESHLINE_MAX_BODY_BYTES",
        )
    return strict_json.part(
        raw, start, end, max_depth=bounds.max_depth, most_values=bounds.max_values, field=field
    )


def limits() -> Settings:
    """The settings that hold the limits of a body and of a batch."""
    from orchestrator.settings import settings

    return settings()
