"""How long a question takes: in this process with the store open, and as a command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.desk.questions import Question
from orchestrator.presenting.documents import to_json
from orchestrator.store.database.engine import Store

START = "--version"


@dataclass(kw_only=True)
class Times:
    """The seconds that each asking of one question took."""

    in_store: list[float] = field(default_factory=list)
    as_command: list[float] = field(default_factory=list)


def command(*arguments: str) -> list[str]:
    """`meshline` with arguments, under this Python."""
    return [sys.executable, "-m", "orchestrator.cli.main", *arguments]


def answer(*arguments: str) -> bytes:
    """What a command prints. Raises RuntimeError with its complaint where it fails."""
    done = subprocess.run(command(*arguments), capture_output=True, check=False)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"meshline {' '.join(arguments)}: {told}")
    return done.stdout


def time_questions(
    store: Store, asked: Sequence[Question], repeats: int, progress: Callable[[int], None]
) -> dict[str, Times]:
    """Ask everything in turn, so many times; by title, and the bare start of a command as START.

    Raises RuntimeError where a command does not print what its functions answer.
    """
    times = {title: Times() for title in (START, *(one.title for one in asked))}
    for one in asked:
        one.ask(store)  # modules and statements are compiled by now
    for number in range(repeats):
        times[START].as_command.append(_timed(answer, START)[0])
        for one in asked:
            inside, expected = _timed(one.ask, store)
            outside, printed = _timed(answer, *one.arguments)
            _check(one, expected, printed)
            times[one.title].in_store.append(inside)
            times[one.title].as_command.append(outside)
        progress(number + 1)
    return times


def _timed(work: Callable[..., Any], *given: object) -> tuple[float, Any]:
    start = time.perf_counter()
    came = work(*given)
    return time.perf_counter() - start, came


def _check(one: Question, expected: object, printed: bytes) -> None:
    if orjson.loads(printed) != orjson.loads(to_json(expected)):
        raise RuntimeError(f"`{one.title}` as a command says something else than in the store")
