"""`python -m tests.fuzz`: send what strangers may send, and count what goes wrong."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.broker_queue import push
from tests.fuzz.doors import knock
from tests.fuzz.plants import PLANT, PLANTS, SECRET
from tests.fuzz.pure import MAKERS, SubjectProcess, feed, surfaces
from tests.fuzz.report import Report
from tests.fuzz.system import FuzzedSystem, fuzzed_system

_DOOR, _QUEUE = "door", "queue"
_OF_A_HUNDRED = {_DOOR: 10, _QUEUE: 1}  # the rest are for subjects
_BATCH = {_DOOR: 400, _QUEUE: 100}  # between two looks at processes and logs
_AT_REST_SECONDS = 60.0


def main() -> int:
    """Run it; 0 where nothing crashed, was slow, or leaked."""
    given = _parse()
    plant = os.environ.get(PLANT) or None
    if plant is not None and plant not in PLANTS:
        _say(f"fuzz: there is no plant {plant!r}; there are {', '.join(PLANTS)}")
        return 2
    wanted = [given.only] if given.only else [*MAKERS, _DOOR, _QUEUE]
    report = Report(_say, given.failures, given.inputs)
    with tempfile.TemporaryDirectory(prefix="meshline-fuzz-") as folder:
        counts = _counts(given.inputs, wanted)
        _fuzz_subjects(report, counts["subjects"], wanted, given.seed, plant)
        if counts[_DOOR] or counts[_QUEUE]:
            with fuzzed_system(Path(folder), plant) as system:
                _fuzz_system(report, system, counts, given.seed)
    for line in report.lines():
        _say(line)
    _say(report.last_line())
    return 0 if report.good else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*MAKERS, _DOOR, _QUEUE], help="one surface alone")
    parser.add_argument(
        "--failures", type=Path, default=Path("fuzz-failures"), help="where their inputs are kept"
    )
    return parser.parse_args()


def _counts(inputs: int, wanted: Sequence[str]) -> dict[str, int]:
    if wanted in ([_DOOR], [_QUEUE]):
        return {_DOOR: 0, _QUEUE: 0, "subjects": 0, wanted[0]: inputs}
    shares = _OF_A_HUNDRED if _DOOR in wanted else dict.fromkeys(_OF_A_HUNDRED, 0)
    found = {name: inputs * share // 100 for name, share in shares.items()}
    return {**found, "subjects": inputs - sum(found.values())}


def _fuzz_subjects(
    report: Report, count: int, wanted: Sequence[str], seed: int, plant: str | None
) -> None:
    """Feed the subjects, one process per core."""
    only = wanted[0] if len(wanted) == 1 else None
    inputs = ((only or name, number) for name, number in surfaces(seed, count))
    lock, secret = threading.Lock(), secrets.token_hex(16)

    def worker() -> None:
        process = SubjectProcess({SECRET: secret, PLANT: plant or ""})
        try:
            while True:
                with lock:
                    drawn = next(inputs, None)
                if drawn is None:
                    return
                name, number = drawn
                report.add(name, 1, feed(process, name, number, seed, secret))
        finally:
            process.close()

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(worker) for _ in range(threads)]:
            done.result()


def _fuzz_system(report: Report, system: FuzzedSystem, counts: dict[str, int], seed: int) -> None:
    for surface, send in ((_DOOR, knock), (_QUEUE, push)):
        step = _BATCH[surface]
        for start in range(0, counts[surface], step):
            numbers = range(start, min(start + step, counts[surface]))
            found = send(system, numbers, seed)
            report.add(surface, len(numbers), [*found, *system.findings(surface)])
    moving = system.wait_until_at_rest(_AT_REST_SECONDS)
    report.add(_DOOR, 0, [one for one in (moving, *system.findings(_DOOR)) if one is not None])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - who started it reads it


if __name__ == "__main__":
    sys.exit(main())
