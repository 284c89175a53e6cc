"""What the store holds, held against what the producers were promised."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, payloads
from tests.sdk.chaos.emitter import LINES


@dataclass(frozen=True, kw_only=True)
class Count:
    """The verdict."""

    emitted: int  # events of which `emit` has returned
    lost: int
    doubled: int
    disordered: int  # events that came behind a later one of their line

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)

    def __str__(self) -> str:
        return (
            f"producers: emitted {self.emitted} lost {self.lost}"
            f" doubled {self.doubled} disordered {self.disordered}"
        )


def count(promised: dict[int, int], arrived: Iterable[tuple[int, int]]) -> Count:
    """`promised` is how many each emitter's `emit` returned of, from 0; `arrived` in order."""
    times: Counter[tuple[int, int]] = Counter()
    newest: dict[tuple[int, int], int] = defaultdict(lambda: -1)
    disordered = 0
    for emitter, number in arrived:
        times[emitter, number] += 1
        line = emitter, number % LINES
        if times[emitter, number] == 1:
            disordered += number < newest[line]
            newest[line] = max(newest[line], number)
    said = [(emitter, number) for emitter, end in promised.items() for number in range(end)]
    return Count(
        emitted=len(said),
        lost=sum(one not in times for one in said),
        doubled=sum(found - 1 for found in times.values()),
        disordered=disordered,
    )


def arrived_in(store: Store) -> list[tuple[int, int]]:
    """Emitter and number of every event, in the order of acceptance: an event's id grows."""
    asked = select(payloads.c.body).join(events, events.c.id == payloads.c.event_id)
    with store.engine.connect() as connection:
        found = connection.execute(asked.order_by(events.c.id)).scalars()
        bodies = [json.loads(body) for body in found]
    return [(body["emitter"], body["number"]) for body in bodies]
