"""Text files that people write: read up to a bound, and told where they cannot be read."""

from __future__ import annotations

import errno
from pathlib import Path

from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.errors import Fault, InvalidFile


def read_text(path: Path, most: int, *, name_one: str) -> str:
    """The text of a file; `most` is in bytes. Raises InvalidFile, which says to `name_one`."""
    try:
        raw = read_bounded(path, most)
    except OSError as error:
        line = _line(path, most) if error.errno == errno.EFBIG else None
        problem = f"it cannot be read: {error.strerror or error}"
        fix = "split it" if line else name_one
        raise InvalidFile(str(path), [_fault(problem, fix, line)]) from None
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start} is not UTF-8"
        raise InvalidFile(str(path), [_fault(problem, "save it as UTF-8", line)]) from None


def _fault(problem: str, fix: str, line: int | None) -> Fault:
    return Fault(path="", problem=problem, fix=fix, line=line)


def _line(path: Path, most: int) -> int:
    """The line at which a file becomes too large."""
    try:
        with path.open("rb") as file:
            return file.read(most).count(b"\n") + 1
    except OSError:
        return 1
