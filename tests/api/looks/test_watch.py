"""Who waits for an event is woken by its mark, and has one of so many places."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import ExitStack

import pytest

from orchestrator.api.looks.watch import Watch
from orchestrator.api.problems import DoorFull, KeyBusy
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.views.events.marks import Mark

LONG = 60.0


class Marks:
    """What the store would say, and how often it was asked."""

    def __init__(self) -> None:
        self.found: dict[str, Mark] = {"a": (1,), "b": (1,)}
        self.asked: list[set[str]] = []
        self.away = 0  # so many more looks fail

    async def __call__(self, ids: Collection[str]) -> Mapping[str, Mark]:
        self.asked.append(set(ids))
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        return {one: self.found[one] for one in ids if one in self.found}


def test_one_look_is_for_all_who_wait_and_wakes_whose_mark_is_another() -> None:
    marks = Marks()

    async def story() -> tuple[bool, bool]:
        watch = Watch(marks)
        ours = [asyncio.create_task(watch.change("a", (1,), seconds=LONG)) for _ in range(5)]
        other = asyncio.create_task(watch.change("b", (1,), seconds=LONG))
        await asyncio.sleep(0)
        marks.found["a"] = (2,)
        await asyncio.gather(*ours)
        looks, still = len(marks.asked), not other.done()
        watch.release()
        await other
        return looks == 1, still

    assert asyncio.run(story()) == (True, True)
    assert marks.asked[0] == {"a", "b"}


def test_an_event_that_is_gone_is_news() -> None:
    marks = Marks()

    async def story() -> None:
        watch = Watch(marks)
        del marks.found["a"]
        await watch.change("a", (1,), seconds=LONG)

    asyncio.run(story())


def test_a_store_that_is_away_is_asked_again() -> None:
    marks = Marks()
    marks.away, marks.found["a"] = 1, (2,)

    asyncio.run(Watch(marks).change("a", (1,), seconds=LONG))

    assert len(marks.asked) == 2


def test_nobody_is_looked_for_when_nobody_waits() -> None:
    marks = Marks()

    async def story() -> int:
        watch = Watch(marks)
        await watch.change("a", (1,), seconds=0.01)
        await asyncio.sleep(0.6)
        return len(marks.asked)

    assert asyncio.run(story()) <= 1


def test_a_released_watch_lets_nobody_wait() -> None:
    async def story() -> None:
        watch = Watch(Marks())
        watch.release()
        await watch.change("a", (1,), seconds=LONG)

    asyncio.run(asyncio.wait_for(story(), 10))


def test_places_are_bounded_for_a_key_and_in_all_and_given_back() -> None:
    watch = Watch(Marks(), most=3, share=2)
    with ExitStack() as held:
        for key in ("a", "a", "b"):
            held.enter_context(watch.place(key))
        with pytest.raises(KeyBusy), watch.place("a"):
            pass
        with pytest.raises(DoorFull), watch.place("c"):
            pass
    with ExitStack() as held:
        for key in ("c", "a", "a"):
            held.enter_context(watch.place(key))
