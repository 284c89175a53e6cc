"""The process that subjects run in: a line says what comes, a line says what came of it."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import IO

from tests.fuzz.plants import plant_here
from tests.fuzz.subjects import REFUSALS, SUBJECTS

_HEADER = struct.Struct("!II")  # the length of the subject's name, and of the input
_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_LONGEST = 4_000  # characters of an answer that go back to be searched


def main() -> None:
    """Take one input after the other until there are no more."""
    plant_here()
    taken, answers = sys.stdin.buffer, sys.stdout
    # What is imported and compiled once is not an input's cost.
    for name, subject in SUBJECTS.items():
        with contextlib.suppress(*REFUSALS, ValueError):
            subject(b"{}" if name != "contract" else b"[{}, {}]")
    print("ready", file=answers, flush=True)
    while header := taken.read(_HEADER.size):
        name_size, size = _HEADER.unpack(header)
        name = taken.read(name_size).decode()
        print(json.dumps(_run(name, taken.read(size))), file=answers, flush=True)


def send(to: IO[bytes], name: str, raw: bytes) -> None:
    """Hand an input to such a process."""
    to.write(_HEADER.pack(len(name), len(raw)) + name.encode() + raw)
    to.flush()


def _run(name: str, raw: bytes) -> dict[str, object]:
    before = _reset_peak()
    started = time.process_time()
    crash, told = None, ""
    try:
        told = SUBJECTS[name](raw)
        outcome = "taken"
    except REFUSALS as refusal:
        told, outcome = str(refusal), "refused"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
        outcome, crash = (
            "crashed",
            f"{type(error).__name__}: {error}\n{traceback.format_exc()[-1500:]}",
        )
    seconds = time.process_time() - started
    grown = _peak() - before
    if grown > 32 * 1024 * 1024:
        gc.collect()
    return {
        "outcome": outcome,
        "seconds": seconds,
        "bytes": grown,
        "crash": crash,
        "told": told[:_LONGEST],
    }


def _reset_peak() -> int:
    """Forget the highest memory so far; what is used now, in bytes."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")
    return _kilobytes("VmRSS") * 1024


def _peak() -> int:
    return _kilobytes("VmHWM") * 1024


def _kilobytes(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
