"""The data of a trigger, and who sends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.terminal.payloads import limits, opened, payload_of
from orchestrator.domain.event import Trigger


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
        from orchestrator.operations.access.keys import Caller

        fields = {"type": self.kind, "client": self.client}
        if self.key is not None:
            fields["key"] = self.key if line is None else f"{self.key}:{line}"
        return make_trigger(
            fields,
            Caller(key_id="cli", clients=(self.client,)),
            data=payload_of(raw, "data" if line is None else f"line {line}"),
            key=None if self.key is None else read_text(fields, "key", LONGEST_KEY),
        )


def read_document(source: str | Path) -> bytes:
    """The data as bytes, at most one byte more than the limit of a body."""
    if isinstance(source, str):
        return source.encode()
    with opened(source) as file:
        return file.read(limits().max_body_bytes + 1)
