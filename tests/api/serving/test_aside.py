"""A call that hangs costs those who ask afterwards nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator

import pytest

from orchestrator.api.aside import Aside
from orchestrator.domain.errors import KeyRefused, StoreUnavailable


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs comes back when this is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def play(story: Coroutine[None, None, None]) -> None:
    asyncio.run(story)


async def it_has_come_back(aside: Aside) -> None:
    while aside.hangs:  # noqa: ASYNC110 - a thread says when
        await asyncio.sleep(0.01)


def fails() -> None:
    raise StoreUnavailable("it is away")


def test_a_call_is_answered_from_another_thread() -> None:
    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=60)
        assert await aside.run(threading.get_ident) != threading.get_ident()
        assert await aside.run(divmod, 7, 2) == (3, 1)
        aside.close()

    play(story())


def test_what_a_call_raises_is_raised_to_the_one_who_asked() -> None:
    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=60)
        with pytest.raises(ZeroDivisionError):
            await aside.run(divmod, 7, 0)
        assert await aside.run(divmod, 7, 2) == (3, 1)
        aside.close()

    play(story())


def test_while_one_call_hangs_no_other_is_begun(gate: threading.Event) -> None:
    begun: list[str] = []

    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=0.05, threads=4)
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.05 s"):
            await aside.run(gate.wait)
        assert aside.hangs
        with pytest.raises(StoreUnavailable, match="an earlier call still hangs"):
            await aside.run(begun.append, "too early")

        gate.set()
        await it_has_come_back(aside)
        await aside.run(begun.append, "in time")
        aside.close()

    play(story())
    assert begun == ["in time"]


def test_after_a_failure_the_next_waits_for_less_until_one_succeeds(gate: threading.Event) -> None:
    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=1)
        with pytest.raises(StoreUnavailable, match="away"):
            await aside.run(fails)
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.1 s"):
            await aside.run(gate.wait)
        gate.set()
        await it_has_come_back(aside)
        gate.clear()
        with pytest.raises(StoreUnavailable, match="no answer within 1 s"):
            await aside.run(gate.wait)
        aside.close()

    play(story())


def test_an_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=60)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await aside.run(fails)
        for _ in range(3):
            await aside.run(divmod, 7, 2)
        aside.close()

    with caplog.at_level(logging.WARNING):
        play(story())

    assert caplog.messages == ["it is away", "reader: it answers again"]


def test_a_refusal_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    def refuses() -> None:
        raise KeyRefused("unknown")

    async def story() -> None:
        aside = Aside("reader", StoreUnavailable, seconds=60)
        with pytest.raises(KeyRefused):
            await aside.run(refuses)
        aside.close()

    with caplog.at_level(logging.WARNING):
        play(story())

    assert caplog.messages == []
