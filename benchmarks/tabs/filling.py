"""A store of very many events for the desk: a sample is really driven, and its rows are copied."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import orjson

from benchmarks.copying import Run, copying, filling, take_sample
from benchmarks.desk.filling import opened_process, publish_example, take_in
from benchmarks.desk.leads import CLIENT, broken_leads, good_leads
from benchmarks.tabs.waiting import Things, leave_things
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from workers.app import Process

CLIENTS = {CLIENT: 7, "globex": 2, "initech": 1}
"""Each with the example's workflow; of ten events so many are a client's."""

BROKEN = 10  # of so many events one comes to quarantine
RARE = "xylophone"
_RARE_EVENTS = 20
_SAMPLE = 1_000  # events that are really driven, and then copied
_PAST_MS = 30 * 24 * 3600 * 1000  # the copies came in over the last 30 days
_TABLES = ("events", "payloads", "deliveries", "audit", "quarantine", "quarantine_words")


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What is in the store, for who asks for pages of it."""

    events: int
    quarantined: int
    things: Things


def fill(url: str, events: int, seed: int, progress: Callable[[int], None]) -> Filled:
    """Fill the database of the settings in the environment, whose address is `url`."""
    sample = min(_SAMPLE, events)
    rng = random.Random(seed)
    with opened_process() as ours:
        for client in CLIENTS:
            publish_example(ours, client)
        _drive_sample(ours, sample, rng)
    copies = events // sample - 1
    with filling(url) as run:
        _copy(run, copies, lambda done: progress(done * sample))
    with opened_process() as ours:
        take_in(ours, map(_rare, broken_leads(_RARE_EVENTS, rng)))
        things = leave_things(ours)
    broken = sum(_shares(sample // BROKEN)) * (copies + 1) + _RARE_EVENTS
    return Filled(events=sample * (copies + 1), quarantined=broken, things=things)


def _drive_sample(ours: Process, sample: int, rng: random.Random) -> None:
    broken = sample // BROKEN
    for client, good, bad in zip(CLIENTS, _shares(sample - broken), _shares(broken), strict=True):
        leads = chain(good_leads(good, rng), broken_leads(bad, rng))
        take_in(ours, (replace(one, client=client) for one in leads))


def _shares(count: int) -> list[int]:
    """How many are each client's; the first has what is left over."""
    parts = sum(CLIENTS.values())
    shares = [count * part // parts for part in CLIENTS.values()]
    return [shares[0] + count - sum(shares), *shares[1:]]


def _rare(lead: Trigger) -> Trigger:
    payload: dict[str, object] = orjson.loads(lead.payload)
    payload["message"] = f"a {RARE} for the office"
    return replace(
        lead,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=f"rare-{lead.idempotency_key}",
    )


def _copy(run: Run, copies: int, progress: Callable[[int], None]) -> None:
    if not copies:
        return
    columns = {table: take_sample(run, table) for table in _TABLES}
    stays = run("SELECT max(id) FROM quarantine").fetchone()[0]
    step = _PAST_MS // copies
    start = time.time_ns() // 1_000_000 - _PAST_MS
    for number in range(copies):
        age = _PAST_MS - number * step
        instead = _instead(number + 1, stays=stays, age_ms=age)
        for table in _TABLES:
            run(
                copying(
                    table,
                    columns[table],
                    at_ms=start + number * step,
                    age_ms=age,
                    instead=instead[table],
                )
            )
        progress(number + 2)
    run(
        "UPDATE incidents SET events ="
        " (SELECT count(*) FROM quarantine WHERE incident_id = incidents.id)"
    )


def _instead(number: int, *, stays: int, age_ms: int) -> dict[str, dict[str, str]]:
    """What is not copied as all else is, by table; `stays` is the highest id of a sampled stay."""
    higher = number * stays
    return {
        **{table: {} for table in _TABLES},
        "events": {"idempotency_key": f"idempotency_key || '-{number}'"},
        "quarantine": {
            "id": f"id + {higher}",
            "since": f"since - {age_ms}",
            "recover_by": f"recover_by - {age_ms}",
        },
        "quarantine_words": {"rowid": f"rowid + {higher}"},
    }
