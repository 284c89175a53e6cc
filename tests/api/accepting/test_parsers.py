"""Turns at the parser: fair between keys, none for who has left, and a share of the door each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect

from orchestrator.api.intake import Room
from orchestrator.api.parsers import Parsers, Reading
from orchestrator.api.problems import DoorFull, KeyBusy


async def stays() -> bool:
    return False


def reading(name: str, turns: int, seen: list[str]) -> Reading[str]:
    for _ in range(turns):
        seen.append(name)
        yield
    return name


def with_parsers(story: Callable[[Parsers], Awaitable[None]]) -> None:
    async def play() -> None:
        parsers = Parsers()
        try:
            await story(parsers)
        finally:
            parsers.close()

    asyncio.run(play())


def test_a_key_waits_for_one_turn_of_another_however_many_bodies_that_one_sends() -> None:
    seen: list[str] = []

    async def story(parsers: Parsers) -> None:
        many = [
            asyncio.create_task(parsers.run(reading("many", 20, seen), key="a", gone=stays))
            for _ in range(8)
        ]
        await asyncio.sleep(0)
        assert await parsers.run(reading("one", 3, seen), key="b", gone=stays) == "one"
        assert not any(task.done() for task in many)
        await asyncio.gather(*many)

    with_parsers(story)

    assert seen.count("many") == 160
    last = len(seen) - 1 - seen[::-1].index("one")
    assert last <= 6  # after each turn of the one at most one of the many


def test_nothing_more_is_read_for_who_leaves_between_two_turns() -> None:
    seen: list[str] = []

    async def leaves() -> bool:
        return len(seen) >= 2

    async def story(parsers: Parsers) -> None:
        with pytest.raises(ClientDisconnect):
            await parsers.run(reading("gone", 50, seen), key="a", gone=leaves)
        assert await parsers.run(reading("next", 1, seen), key="a", gone=stays) == "next"

    with_parsers(story)

    assert seen == ["gone", "gone", "next"]


def test_a_reading_that_is_given_up_while_it_waits_gives_its_turn_on() -> None:
    seen: list[str] = []

    async def story(parsers: Parsers) -> None:
        first = asyncio.create_task(parsers.run(reading("first", 5, seen), key="a", gone=stays))
        given_up = asyncio.create_task(parsers.run(reading("up", 5, seen), key="b", gone=stays))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await first == "first"
        assert await parsers.run(reading("next", 1, seen), key="b", gone=stays) == "next"

    with_parsers(story)

    assert "up" not in seen


def test_an_error_of_a_reading_ends_it_and_nothing_else() -> None:
    def broken() -> Reading[str]:
        yield
        raise ValueError("broken")

    async def story(parsers: Parsers) -> None:
        with pytest.raises(ValueError, match="broken"):
            await parsers.run(broken(), key="a", gone=stays)
        assert await parsers.run(reading("next", 1, []), key="a", gone=stays) == "next"

    with_parsers(story)


def test_one_key_holds_its_share_of_the_room_and_another_the_rest() -> None:
    room = Room(100, share=50)
    with room.hold() as first, room.hold() as second, room.hold() as other:
        first.belongs_to("a")
        second.belongs_to("a")
        other.belongs_to("b")
        first.take(40)
        with pytest.raises(KeyBusy):
            second.take(11)
        second.take(10)
        other.take(50)
        with room.hold() as third:
            third.belongs_to("c")
            with pytest.raises(DoorFull):
                third.take(1)

    assert (room.left, room.held) == (100, {})
