"""Play events, and keep the shortest trip of each part: one that no timer disturbed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.trips.house import House
from benchmarks.trips.recording import Recorder, Trip
from connectors.registry import catalog
from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.amendment import Amendment
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.views.quarantine.selection import Selection

WHOLE = "whole event"
LINKS = ("validate", "route", "dispatch")
EVENT = ("door", "claim", *LINKS)
BAD, PLAN = "bad event", "plan and run"
PARTS = (*EVENT, WHOLE, BAD, PLAN)

_GOOD = {"email": "ada@example.com", "tier": "pro"}
_BAD = {"email": "ada@example.com", "plan": "pro"}
_MENDED = Amendment(action="rename", path="plan", to="tier")

Trips = dict[str, Trip]


def play(house: House, recorder: Recorder, *, rounds: int) -> Trips:
    """The trips by part. The first round compiles and fills caches, and is thrown away.

    Raises RuntimeError where an event is not in the state that it should be in.
    """
    best: Trips = {}
    for number in range(rounds + 1):
        played: Trips = {}
        _play_good(house, partial(_record, recorder, played))
        _play_bad(house, partial(_record, recorder, played))
        if number:
            for part, trip in played.items():
                if part not in best or trip.moves < best[part].moves:
                    best[part] = trip
    best[WHOLE] = sum((best[part] for part in EVENT), Trip())
    return {part: best[part] for part in PARTS}


Record = Callable[[str, Callable[[], object]], object]


def _record(recorder: Recorder, played: Trips, part: str, work: Callable[[], object]) -> object:
    with recorder.trip() as trip:
        answer = work()
    played[part] = trip
    return answer


def _play_good(house: House, record: Record) -> None:
    event_id = str(record("door", partial(house.accept, _GOOD)))
    record("claim", house.claim)
    for part in LINKS:
        record(part, house.run_next)
    house.check(event_id, "delivered")


def _play_bad(house: House, record: Record) -> None:
    """To quarantine; then it is mended, and a plan of it alone is made and run to its end."""
    event_id = house.accept(_BAD)
    house.claim()
    record(BAD, house.run_next)
    house.check(event_id, "quarantined")
    store, actor = house.worker.store, "cli:trace"
    chosen = Selection(ids=(event_id,))
    fix_events(store, chosen, [_MENDED], actor=login(actor))
    known = catalog(house.worker.connectors)

    def plan_and_run() -> None:
        plan = plan_replay(store, chosen, catalog=known, actor=login(actor))
        run_plan(store, plan.token, actor=login(actor))

    record(PLAN, plan_and_run)
    house.claim()
    for _ in LINKS:
        house.run_next()
    house.check(event_id, "delivered")
