"""Data from the command line, held to the limits that the door holds its callers to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import PayloadTooLarge
from orchestrator.domain.event import Trigger

if TYPE_CHECKING:
    from orchestrator.settings import Settings


STDIN = Path("-")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What all triggers of one command have in common."""

    client: str
    kind: str
    key: str | None

    def trigger(self, raw: bytes, *, line: int | None = None) -> Trigger:
        """The trigger that a document is the data of.

        Raises InvalidJson, PayloadTooLarge, InvalidTrigger.
        """
        from orchestrator.api.triggers import LONGEST_KEY, make_trigger, read_text
        from orchestrator.operations.manage_keys import Caller

        fields = {"type": self.kind, "client": self.client}
        if self.key is not None:
            fields["key"] = self.key if line is None else f"{self.key}:{line}"
        return make_trigger(
            fields,
            Caller(key_id="cli", clients=(self.client,)),
            data=_document(raw, "data" if line is None else f"line {line}"),
            key=None if self.key is None else read_text(fields, "key", LONGEST_KEY),
        )


def read_document(source: str | Path) -> bytes:
    """The data as bytes, at most one byte more than the limit of a body."""
    if isinstance(source, str):
        return source.encode()
    with opened(source) as file:
        return file.read(limits().max_body_bytes + 1)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read; `-` is stdin."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def _document(raw: bytes, field: str) -> object:
    bounds = limits()
    if len(raw) > bounds.max_body_bytes:
        raise PayloadTooLarge(
            f"it is over {bounds.max_body_bytes} bytes",
            field=field,
            fix="send less, or raise MESHLINE_MAX_BODY_BYTES",
        )
    return strict_json.loads(
        raw, max_depth=bounds.max_depth, most_values=bounds.max_values, field=field
    )


def limits() -> Settings:
    """The settings that hold the limits of a body and of a batch."""
    from orchestrator.settings import settings

    return settings()
