"""A door opens an incident of a spool that stays old, and resolves it when it is young again."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.api.app import ApiLimits
from orchestrator.api.door import DoorLimits
from orchestrator.api.spools.watch import SpoolWatch
from orchestrator.domain.incidents.incident import OLD_SPOOL_SECONDS
from orchestrator.operations.note_old_spools import HeardSpool
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.list import IncidentRow, Sought, list_incidents
from orchestrator.telemetry import SpoolReported
from tests.api.doors import LONG, RunningDoor, open_door
from tests.leads import publish_leads
from tests.waiting import wait_until

STEWARD = "steward@agency.example"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def report(oldest: int, spool: str = "aa") -> SpoolReported:
    return SpoolReported(
        key="k",
        spool=spool,
        kind="spool",
        waiting=1 if oldest else 0,
        refused=0,
        oldest_seconds=oldest,
    )


def due(watch: SpoolWatch) -> list[tuple[str, bool]]:
    return [(one.spool, one.is_old) for one in watch.take_due()]


def test_one_old_report_is_not_enough_and_the_next_a_minute_later_is() -> None:
    watch = SpoolWatch(seconds=60, now=(clock := Clock()))
    watch.read(report(OLD_SPOOL_SECONDS))
    assert due(watch) == []
    clock.now += 59
    watch.read(report(OLD_SPOOL_SECONDS + 59))
    assert due(watch) == []
    clock.now += 1
    assert due(watch) == [], "nobody said it since"

    watch.read(report(OLD_SPOOL_SECONDS + 60))

    assert due(watch) == [("aa", True)]


def test_a_young_report_between_two_old_ones_begins_anew() -> None:
    watch = SpoolWatch(seconds=60, now=(clock := Clock()))
    for oldest in (OLD_SPOOL_SECONDS, OLD_SPOOL_SECONDS - 1, OLD_SPOOL_SECONDS):
        watch.read(report(oldest))
        clock.now += 60

    assert due(watch) == []


def test_a_spool_is_due_once_a_minute_however_many_requests_speak_of_it() -> None:
    watch = SpoolWatch(seconds=60, now=(clock := Clock()))
    for _ in range(100):
        watch.read(report(0))
    assert due(watch) == [("aa", False)]
    for _ in range(59):
        clock.now += 1
        watch.read(report(0))
        assert due(watch) == []
    clock.now += 1

    assert due(watch) == [("aa", False)], "the last word is kept until its turn"
    assert due(watch) == []


def test_what_the_store_did_not_take_is_due_again_unless_it_changed() -> None:
    watch = SpoolWatch(seconds=60, now=(clock := Clock()))
    watch.read(report(0, "aa"))
    watch.read(report(0, "bb"))
    found = watch.take_due()
    watch.read(report(OLD_SPOOL_SECONDS, "bb"))
    watch.put_back([*found, HeardSpool(key="k", spool="forgotten", waiting=0, is_old=False)])
    clock.now += 60

    assert due(watch) == [("aa", False)]


def test_an_old_word_of_another_day_says_nothing_of_now() -> None:
    watch = SpoolWatch(seconds=60, now=(clock := Clock()))
    watch.read(report(OLD_SPOOL_SECONDS))
    clock.now += 3_600
    watch.read(report(OLD_SPOOL_SECONDS))

    assert due(watch) == []


def test_a_door_remembers_a_thousand_spools_and_the_newest_of_them() -> None:
    watch = SpoolWatch(seconds=60, now=Clock())
    for number in range(1_005):
        watch.read(report(0, f"{number:x}"))

    found = due(watch)

    assert len(found) == 1_000
    assert found[0] == ("5", False)


def test_a_flood_of_one_keys_spools_drives_out_no_other_keys() -> None:
    watch = SpoolWatch(seconds=60, now=Clock())
    watch.read(replace(report(0, "1"), key="another"))
    for number in range(1_500):
        watch.read(report(0, f"{number:x}"))

    found = due(watch)

    assert len(found) == 1_000 and found[0] == ("1", False)


def unresolved(store: Store) -> list[IncidentRow]:
    with store.read() as tx:
        return list_incidents(tx, Sought())


def says(door: RunningDoor, said: str) -> None:
    body = b'{"type": "lead.created", "data": {"email": "jo@shop.example", "tier": "pro"}}'
    assert door.post_raw(body, meshline_spool=said).status_code == 202


def test_a_door_opens_the_incident_of_a_spool_that_stays_old_and_resolves_it(store: Store) -> None:
    publish_leads(store)
    limits = ApiLimits(door=DoorLimits(commit_seconds=LONG), look_seconds=LONG, spool_seconds=0.1)
    with open_door(store, Settings(stop_seconds=5, steward=STEWARD), limits) as door:

        def opened() -> bool:
            says(door, f"waiting=4, oldest={OLD_SPOOL_SECONDS}, refused=0, id=ab12, kind=outbox")
            return bool(unresolved(store))

        wait_until(opened)
        (incident,) = unresolved(store)
        assert (incident.reason, incident.owner) == ("old_spool", STEWARD)
        assert "the outbox ab12 of the key" in incident.title

        says(door, "waiting=0, oldest=0, refused=0, id=ab12")
        wait_until(lambda: not unresolved(store))
