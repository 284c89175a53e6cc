"""A fault of a workflow's file, as the commands say it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from orchestrator.domain.errors import Fault
from orchestrator.domain.text.visible import visible


@dataclass(frozen=True, kw_only=True)
class FileFault:
    """A fault, or a note, and the file it is in."""

    file: str
    fault: Fault

    def __str__(self) -> str:
        place = f"{self.file}:{self.fault.line}" if self.fault.line else self.file
        kind = "note: " if self.fault.is_note else ""
        path = f"{self.fault.path}: " if self.fault.path else ""
        # On one line, whatever an operator's file has for a name.
        return visible(f"{place}: {kind}{path}{self.fault.problem}; {self.fault.fix}")

    def as_json(self) -> dict[str, object]:
        """It as `--json` shows it, where faults and notes are two lists."""
        shown = asdict(self.fault)
        del shown["is_note"]
        return {"file": self.file, **shown}
