"""How each kind of fault is done, and how it is mended."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from sqlalchemy import select

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.embedded.lifeline import signal_group
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from tests.faults.leads import CONTACTS, TICKETS
from tests.faults.machines import Machines
from tests.faults.parts import Part, Sort
from tests.faults.plan import AT_THE_DESTINATION, Fault, Kind
from tests.faults.producers import Producers
from tests.integration.system import QUICK

LONGER_THAN_EVERY_TIMEOUT = float(QUICK["MESHLINE_LEASE_SECONDS"]) + 1.5
"""Seconds; the lease is the longest of the clocks."""

_FARTHEST_STEP = 6 * 3600  # seconds
_DEAF_SECONDS = 2.0
_NEWEST, _ANSWERED = 50, 5_000  # events; of the answered ones enough to have all of the newest


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What a strike works with."""

    machines: Machines
    producers: Producers
    store: Store

    def strike(self, fault: Fault, begun: threading.Event) -> str | None:
        """Do it, wait, and mend it; in words what was done. None where nothing fit was up."""
        chance = random.Random(fault.seed)
        with self.machines.struck(SORT_OF[fault.kind], chance) as part:
            begun.set()
            return _DOING[fault.kind](self, part, fault, chance) if part is not None else None

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is given up."""
        self.machines.stopping.wait(seconds)

    def tell_sandbox(self, method: str, body: object = None) -> None:
        """Say what goes wrong next, or that nothing does."""
        request = urllib.request.Request(
            f"{self.machines.sandbox.url}/faults",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.machines.sandbox.token}"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=30).close()


def _kill_child(attack: Attack, part: Part, _fault: Fault, chance: random.Random) -> str:
    for _ in range(100):  # the pool may be about to start one
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(part.child.pid).children()
            if children:
                chance.choice(children).kill()
                return f"a child of {part.name}"
        attack.pause(0.05)
    return f"no child of {part.name} was there"


def _kill(attack: Attack, part: Part, fault: Fault, _: random.Random) -> str:
    part.child.kill()
    attack.pause(fault.lasts)
    attack.machines.revive(part)
    return part.name


def _kill_door(attack: Attack, part: Part, fault: Fault, chance: random.Random) -> str:
    """While it has requests, and often at the worst moment: committed, and not yet answered."""
    tries, unanswered, under_way = chance.choice([1, 20]), 0, 0
    end = time.monotonic() + _DEAF_SECONDS
    while tries and not unanswered and time.monotonic() < end:
        under_way = attack.producers.under_way(part.address)
        if not under_way:
            time.sleep(0.0005)
            continue
        tries -= 1
        time.sleep(chance.uniform(0, 0.01))
        unanswered = _stop_and_count(attack, part)
    name = _kill(attack, part, fault, chance)
    return f"{name} with {under_way} requests under way, {unanswered} events committed unanswered"


def _stop_and_count(attack: Attack, part: Part) -> int:
    """Hold the door still; how many events it has committed and not yet answered, if any."""
    signal_group(part.child.pid, signal.SIGSTOP)
    time.sleep(0.005)  # for answers that are on their way
    with contextlib.suppress(StoreUnavailable), attack.store.read() as tx:
        newest = tx.execute(select(events.c.id).order_by(events.c.id.desc()).limit(_NEWEST))
        answered = set(list(attack.producers.ledger.ids.values())[-_ANSWERED:])
        unanswered = len(set(newest.scalars()) - answered)
        if unanswered and attack.producers.under_way(part.address):
            return unanswered
    signal_group(part.child.pid, signal.SIGCONT)
    return 0


def _empty_broker(attack: Attack, part: Part, _fault: Fault, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 400)):  # rather at a moment when something lies there
        lying = attack.machines.broker.empty()
        if lying:
            break
        attack.pause(0.01)
    return f"{part.name}, where {lying} messages lay"


def _wipe_broker(attack: Attack, part: Part, fault: Fault, _: random.Random) -> str:
    part.child.kill()
    attack.machines.broker.forget()
    attack.pause(fault.lasts)
    attack.machines.revive(part)
    return part.name


def _freeze(attack: Attack, part: Part, fault: Fault, _: random.Random) -> str:
    seconds = LONGER_THAN_EVERY_TIMEOUT + fault.lasts
    signal_group(part.child.pid, signal.SIGSTOP)
    try:
        attack.pause(seconds)
    finally:
        signal_group(part.child.pid, signal.SIGCONT)
    return f"{part.name} for {seconds:.1f} s"


def _crash_store(attack: Attack, part: Part, fault: Fault, _: random.Random) -> str:
    part.child.stop(signal.SIGQUIT)
    attack.pause(fault.lasts)
    attack.machines.revive(part)
    return part.name


def _step_clock(attack: Attack, _: Part, __: Fault, chance: random.Random) -> str:
    clock = attack.machines.clock
    if clock is None:
        raise AssertionError("there is no clock to step")
    seconds = chance.choice([0, 90, -90, chance.randint(-_FARTHEST_STEP, _FARTHEST_STEP)])
    clock.step_to(seconds)
    return f"by {seconds:+d} s"


def _misbehave(**how: object) -> Callable[[Attack, Part, Fault, random.Random], str]:
    """Let a share of the destination's requests go wrong for a while."""

    def do(attack: Attack, part: Part, fault: Fault, chance: random.Random) -> str:
        path = chance.choice(["/", f"/{CONTACTS}", f"/{TICKETS}"])
        share = chance.choice([0.05, 0.3, 0.7, 1.0])
        asked = {"path": path, "share": share, "seed": chance.getrandbits(30), **how}
        if how["mode"] == "slow":
            # A caller gives up after 1.5 s; what is stored later than that must be there within
            # the settle time that the connectors declare.
            asked["seconds"] = round(chance.uniform(0.2, 3.0), 1)
        attack.tell_sandbox("POST", {"count": 1_000_000, **asked})
        try:
            attack.pause(0.5 + 2 * fault.lasts)
        finally:
            attack.tell_sandbox("DELETE")
        return f"{share:.0%} of {asked.get('method', 'POST')} {path}"

    return do


_DOING: dict[Kind, Callable[[Attack, Part, Fault, random.Random], str]] = {
    Kind.POOL_CHILD_KILLED: _kill_child,
    Kind.WORKER_KILLED: _kill,
    Kind.RELAY_KILLED: _kill,
    Kind.DOOR_KILLED: _kill_door,
    Kind.BROKER_EMPTIED: _empty_broker,
    Kind.BROKER_KILLED: _kill,
    Kind.BROKER_WIPED: _wipe_broker,
    Kind.BROKER_FROZEN: _freeze,
    Kind.STORE_CRASHED: _crash_store,
    Kind.CLOCK_STEPPED: _step_clock,
    Kind.RELAY_FROZEN: _freeze,
    Kind.WORKER_FROZEN: _freeze,
    Kind.CUT_AFTER_STORE: _misbehave(mode="cut_after_store"),
    Kind.ERROR: _misbehave(mode="error"),
    Kind.RATE_LIMIT: _misbehave(mode="rate_limit", seconds=1),
    Kind.SLOW: _misbehave(mode="slow"),
    Kind.ERROR_AFTER_STORE: _misbehave(mode="error_after_store"),
    Kind.GARBAGE: _misbehave(mode="garbage"),
    Kind.CUT: _misbehave(mode="cut"),
    Kind.READ_ERROR: _misbehave(mode="error", method="GET", status=503),
}

SORT_OF = {
    Kind.POOL_CHILD_KILLED: Sort.WORKER,
    Kind.WORKER_KILLED: Sort.WORKER,
    Kind.RELAY_KILLED: Sort.RELAY,
    Kind.DOOR_KILLED: Sort.DOOR,
    Kind.BROKER_EMPTIED: Sort.BROKER,
    Kind.BROKER_KILLED: Sort.BROKER,
    Kind.BROKER_WIPED: Sort.BROKER,
    Kind.BROKER_FROZEN: Sort.BROKER,
    Kind.STORE_CRASHED: Sort.STORE,
    Kind.CLOCK_STEPPED: Sort.WORKER,
    Kind.RELAY_FROZEN: Sort.RELAY,
    Kind.WORKER_FROZEN: Sort.WORKER,
    **dict.fromkeys(AT_THE_DESTINATION, Sort.DESTINATION),
}
"""Which part each kind is done to."""
