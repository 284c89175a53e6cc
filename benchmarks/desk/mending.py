"""Mending the largest incident by the desk's commands, with a run that is killed twice."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.desk.asking import answer, command
from benchmarks.desk.leads import FIELD, RENAMED
from benchmarks.waiting import wait_until
from benchmarks.watching import Watch

SHARES = (1 / 3, 2 / 3)
"""How much of the plan is done when its run is killed."""

_FEW = 10_000  # events that a run is through with before anybody could kill it: it is paced
_FIRST_OPEN = "SELECT place FROM plan_events WHERE done_at IS NULL ORDER BY place LIMIT 1"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command: what it did to how many events, and in how many seconds."""

    title: str
    events: int
    seconds: float


def mend(watch: Watch, incident: int, progress: Callable[[int], None]) -> list[Step]:
    """Amend, plan and replay the incident's events; the first two steps have all of them."""
    which = ("--incident", str(incident))
    rename = ("--rename", f"{RENAMED}={FIELD}")
    amended, seconds = _answered("quarantine", "recipe", *which, *rename, "--apply")
    steps = [Step(title="recipe … --apply", events=len(amended["applied"]), seconds=seconds)]
    plan, seconds = _answered("quarantine", "replay", *which, "--plan")
    steps.append(Step(title="replay … --plan", events=plan["events"], seconds=seconds))
    steps += _run_cut_off(watch, plan["token"], plan["events"], progress)
    ran, seconds = _answered("quarantine", "run", plan["token"])
    progress(plan["events"])
    steps.append(Step(title="run, to the end", events=ran["replayed"], seconds=seconds))
    return steps


def _run_cut_off(
    watch: Watch, token: str, events: int, progress: Callable[[int], None]
) -> Iterator[Step]:
    before = 0
    for number, share in enumerate(SHARES, start=1):
        seconds = _run_until(share, watch, token, events)
        done = _count_done(watch, events)
        progress(done)
        yield Step(title=f"run, killed: {number}", events=done - before, seconds=seconds)
        before = done


def _answered(*arguments: str) -> tuple[Any, float]:
    start = time.perf_counter()
    said = answer(*arguments, "--json")
    return orjson.loads(said), time.perf_counter() - start


def _run_until(share: float, watch: Watch, token: str, events: int) -> float:
    """Run the plan and kill it when that share of its events is done; the seconds that it lived.

    Raises RuntimeError where it was through before.
    """
    pace = ("--rate", f"{events / 6:.1f}") if events < _FEW else ()
    start = time.perf_counter()
    run = subprocess.Popen(command("quarantine", "run", token, *pace), stdout=subprocess.DEVNULL)
    try:
        wait_until(
            lambda: run.poll() is not None or _count_done(watch, events) >= share * events,
            look_every=0.02,
        )
    finally:
        run.kill()
        ended = run.wait()
    if ended != -signal.SIGKILL or _count_done(watch, events) == events:
        raise RuntimeError(f"the run ended with {ended} before it could be killed")
    return time.perf_counter() - start


def _count_done(watch: Watch, events: int) -> int:
    """Events are replayed in their order, so the first that is not tells how many are."""
    place = watch.ask(_FIRST_OPEN)
    return events if place is None else int(place)
