"""A real Flower in this process, asked over HTTP; its statements are noted, and run again bare."""

from __future__ import annotations

import http.client
import math
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from sqlalchemy import PoolProxiedConnection, event
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from benchmarks.tabs.pages import Page
from benchmarks.tabs.waiting import Things
from orchestrator.dashboard.access.entrance import entrance_of
from orchestrator.dashboard.flower import EventsFlower
from orchestrator.dashboard.reader import StoreReader
from orchestrator.settings import settings
from orchestrator.store.database.engine import Store

_LEAST = 5  # rounds, however long a page takes
_LONGEST_SECONDS = 15.0  # that one page is asked for, beyond these rounds
_LOOKS = ("select", "with")


class NotWhole(Exception):
    """Raised when a page answers with another status than 200, or shows not what it should."""


Statement = tuple[str, Any]
"""Its text and its parameters, as the driver got them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one page took. Times are milliseconds."""

    route: str
    title: str
    statements: int  # that the page makes; with those that write, which are not run again
    rounds: int
    page_ms: float  # the median
    page_p95_ms: float
    queries_ms: float  # the median of the same statements, bare
    ratio: float  # of page to queries in the same round, the median
    rate: int | None = None  # of an export: rows in a second


class Desk:
    """A Flower that answers on a port, and what it asks of the store."""

    def __init__(self, store: Store, port: int, things: Things) -> None:
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._things = things
        self._statements: list[Statement] = []
        self._lines = 0  # of the last answer, its first one left out
        event.listen(store.engine, "before_cursor_execute", self._note)
        self._bare = _bare_connection(store)

    def measure(self, page: Page, rounds: int) -> Row:
        """Ask for a page, then run its statements bare, in turn. Raises NotWhole."""
        for _ in range(2):  # statements are compiled, and pages of the database read by then
            self.ask(page)
        asked: list[float] = []
        bare: list[float] = []
        counts: list[int] = []
        end = time.monotonic() + _LONGEST_SECONDS
        while len(asked) < rounds and (len(asked) < _LEAST or time.monotonic() < end):
            asked.append(self.ask(page))
            made = list(self._statements)
            counts.append(len(made))
            bare.append(self._run_bare(made))
        return Row(
            route=page.route,
            title=page.title,
            statements=round(statistics.median(counts)),
            rounds=len(asked),
            page_ms=round(statistics.median(asked) * 1000, 1),
            page_p95_ms=round(percentile_95(asked) * 1000, 1),
            queries_ms=round(statistics.median(bare) * 1000, 1),
            ratio=round(statistics.median(a / b for a, b in zip(asked, bare, strict=True)), 2),
            rate=round(self._lines / statistics.median(asked)) if page.is_export else None,
        )

    def ask(self, page: Page) -> float:
        """The seconds from a request to the last byte. Raises NotWhole."""
        things = self._things
        session = things.session_of_one if page.of_one else things.session
        headers = {"Cookie": f"meshline-session={session}", "Accept": "text/html"}
        self._statements.clear()
        start = time.perf_counter()
        self._client.request("GET", page.path, headers=headers)
        answer = self._client.getresponse()
        body = answer.read()
        took = time.perf_counter() - start
        self._lines = body.count(b"\n") - 1
        if answer.status != http.client.OK or page.shows not in body.decode():
            raise NotWhole(f"{page.title}: {page.path} answers {answer.status}, or is not whole")
        return took

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        self._bare.close()

    def _note(self, _tx: object, _cursor: object, text: str, given: Any, *_more: object) -> None:
        self._statements.append((text, given))

    def _run_bare(self, statements: Sequence[Statement]) -> float:
        looks = [one for one in statements if one[0].lstrip().lower().startswith(_LOOKS)]
        cursor = self._bare.cursor()
        start = time.perf_counter()
        for text, given in looks:
            cursor.execute(text, given)
            cursor.fetchall()
        return time.perf_counter() - start


@contextmanager
def open_desk(url: str, things: Things) -> Iterator[Desk]:
    """The desk over a filled store. The settings have to be in the environment."""
    with closing(StoreReader(url)) as reader:
        store = reader.open()
        celery = Celery("meshline")
        celery.conf.update(settings().celery_config())
        flower = EventsFlower(
            celery,
            entrance=entrance_of(settings(), reader),
            link_key="",
            connectors=settings().connectors,
        )
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(flower)
        server.add_sockets(sockets)
        loop = flower.io_loop
        thread = threading.Thread(target=loop.start, name="flower")
        thread.start()
        try:
            with closing(Desk(store, sockets[0].getsockname()[1], things)) as desk:
                yield desk
        finally:
            loop.add_callback(loop.stop)
            thread.join()
            server.stop()


def _bare_connection(store: Store) -> PoolProxiedConnection:
    """A connection with the settings of ours, whose cursors are the driver's own."""
    connection = store.engine.raw_connection()
    if not store.is_sqlite:
        driver: Any = connection.driver_connection
        driver.autocommit = True  # as a look of ours
    return connection


def percentile_95(values: Sequence[float]) -> float:
    """The least value that 95 of 100 do not exceed, by the nearest rank.

    >>> percentile_95(range(1, 21)), percentile_95([1, 3, 2])
    (19, 3)
    """
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
