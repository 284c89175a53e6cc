"""What a run says: a line of progress, each kind of finding once, and the last line."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.fuzz.bounds import Finding, Kind

_SHOWN = 20  # findings that are printed
_PROGRESS_SECONDS = 5.0


class Report:
    """Counts inputs and findings; used by several threads."""

    def __init__(self, say: Callable[[str], None], folder: Path, total: int) -> None:
        self._say = say
        self._folder = folder
        self._total = total
        self._lock = threading.Lock()
        self._inputs: Counter[str] = Counter()
        self._found: Counter[Kind] = Counter()
        self._told = self._begun = time.monotonic()
        self._seen: set[str] = set()

    def add(self, surface: str, inputs: int, findings: Iterable[Finding]) -> None:
        """Inputs that were tried, and what was wrong with them."""
        with self._lock:
            self._inputs[surface] += inputs
            for finding in findings:
                self._found[finding.kind] += 1
                self._tell(finding)
            now = time.monotonic()
            if now > self._told + _PROGRESS_SECONDS:
                self._told = now
                done, rate = self._inputs.total(), self._inputs.total() / (now - self._begun)
                self._say(f"  {done:,} of {self._total:,} inputs, {rate:,.0f}/s, {self._counts()}")

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self._found

    def lines(self) -> list[str]:
        """Inputs by surface."""
        return [f"  {name:12} {count:,}" for name, count in sorted(self._inputs.items())]

    def last_line(self) -> str:
        """The line that counts."""
        return f"fuzz: inputs {self._inputs.total()} {self._counts()}"

    def _counts(self) -> str:
        return " ".join(f"{kind} {self._found[kind]}" for kind in Kind)

    def _tell(self, finding: Finding) -> None:
        last = finding.detail.strip().splitlines()[-1:] or [""]
        sort = f"{finding.kind} {finding.surface} {last[0][:60]}"
        if sort in self._seen or len(self._seen) >= _SHOWN:
            return
        self._seen.add(sort)
        self._say(f"{finding.kind}: {finding.surface} {finding.number}: {finding.detail[-1500:]}")
        if finding.raw:
            name = (
                f"{finding.surface}-{finding.number}-{hashlib.sha256(finding.raw).hexdigest()[:8]}"
            )
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(finding.raw)
            self._say(f"  its input: {self._folder / name}")
