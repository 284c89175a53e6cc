"""One run: four emitters, a forwarder, a door that is away half of the time, and kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from meshline.spool import Spool
from tests.api.doors import leads_store, open_door
from tests.sdk.chaos.counting import Count, arrived_in, count
from tests.sdk.chaos.emitter import FULL
from tests.sdk.chaos.relay import Relay

EMITTERS = 4
_ROOT = Path(__file__).parents[3]
_DRAIN_SECONDS = 300.0


class NotDone(Exception):
    """Raised when a run does not come to its end."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is to be."""

    events: int
    kills: int
    seed: int
    plant: str = ""
    seconds: float = 3600.0  # then it is given up


@dataclass
class _Process:
    """An emitter, or the one that only forwards; started again whenever it is killed."""

    number: int
    start: Callable[[_Process], subprocess.Popen[bytes]]
    end: int  # the number that it emits up to
    said: int = 0  # the numbers below it were promised
    met_full_disk: bool = False
    rest: bytes = b""
    running: subprocess.Popen[bytes] = field(init=False)

    def begin(self) -> None:
        self.running = self.start(self)

    def hear(self) -> None:
        assert self.running.stdout
        os.set_blocking(self.running.stdout.fileno(), False)
        while part := self.running.stdout.read(65536):
            *lines, self.rest = (self.rest + part).split(b"\n")
            for line in lines:
                if line.decode() == FULL:
                    self.met_full_disk = True
                else:
                    self.said = int(line)

    def kill(self) -> None:
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()
        self.hear()  # what it said before is promised
        self.rest = b""
        assert self.running.stdout
        self.running.stdout.close()


def run(asked: Asked, say: Callable[[str], object]) -> Count:
    """Carry it out and count. Raises NotDone."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(leads_store(folder))
        door = stack.enter_context(open_door(store))
        relay = Relay(door.port, asked.seed)
        stack.callback(relay.close)
        spool = folder / "events.spool"
        processes = _processes(asked, f"http://127.0.0.1:{relay.port}", spool, door.key)
        for one in processes:
            one.begin()
            stack.callback(one.kill)
        _play(asked, processes, say)
        relay.stay_up()
        _drain(spool, processes)
        say(
            f"the door was cut {relay.cuts} times, lost {relay.lost_answers} answers, and was away"
            f" {relay.seconds[False] / max(0.001, sum(relay.seconds.values())):.0%} of the time"
        )
        promised = {one.number: one.said for one in processes[:EMITTERS]}
        return count(promised, arrived_in(store))


def _processes(asked: Asked, url: str, spool: Path, key: str) -> list[_Process]:
    def start(one: _Process) -> subprocess.Popen[bytes]:
        full_at = -1 if one.number or one.met_full_disk else one.end // 2
        words = {
            "url": url, "spool": spool, "emitter": one.number, "first": one.said,
            "end": one.end, "full-at": max(full_at, one.said) if full_at >= 0 else -1,
            "plant": asked.plant,
        }  # fmt: skip
        command = [f"--{name}={value}" for name, value in words.items()]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.sdk.chaos.emitter", *command],
            cwd=_ROOT,
            env={**os.environ, "MESHLINE_KEY": key, "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.PIPE,
        )

    shares = [asked.events * (one + 1) // EMITTERS for one in range(EMITTERS)]
    ends = [end - before for end, before in zip(shares, [0, *shares], strict=False)]
    emitters = [_Process(number=one, start=start, end=ends[one]) for one in range(EMITTERS)]
    return [*emitters, _Process(number=EMITTERS, start=start, end=0)]


def _play(asked: Asked, processes: list[_Process], say: Callable[[str], object]) -> None:
    """Kill one of them each time that another share of the events was emitted."""
    chance = random.Random(asked.seed)
    give_up = time.monotonic() + asked.seconds
    killed = 0
    while (said := sum(one.said for one in processes)) < asked.events:
        if time.monotonic() > give_up:
            raise NotDone(f"{said} of {asked.events} were emitted in {asked.seconds:g} s")
        time.sleep(0.02)
        for one in processes:
            one.hear()
            if one.running.poll() is not None:
                raise NotDone(f"emitter {one.number} ended by itself")
        while killed < asked.kills * said // asked.events:
            _kill(chance.choice(processes))
            killed += 1
    for _ in range(killed, asked.kills):  # while the spool is being emptied
        _kill(chance.choice(processes))
        killed += 1
    say(f"{killed} processes were killed; the disk was full: {processes[0].met_full_disk}")
    if not processes[0].met_full_disk:
        raise NotDone("the disk was never full")


def _kill(one: _Process) -> None:
    one.kill()
    one.begin()


def _drain(spool: Path, processes: list[_Process]) -> None:
    """Wait until nothing waits: the forwarders do it by themselves."""
    looking = Spool(spool)
    end = time.monotonic() + _DRAIN_SECONDS
    try:
        while (state := looking.state()).waiting:
            if time.monotonic() > end:
                raise NotDone(f"{state.waiting} events still wait in the spool")
            time.sleep(0.1)
        if state.refused:
            raise NotDone(f"{state.refused} events were refused: {looking.every()[0].error}")
    finally:
        looking.close()
    for one in processes:
        one.hear()
