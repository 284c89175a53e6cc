"""The producers: they send through real doors until they are answered, and keep the answers."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence

from meshline import Emitted, Producer, Unreachable
from meshline.transport import HttpTransport, Request, Response
from tests.faults.leads import Lead

_THREADS = 4
_LARGEST_BATCH = 120
_SENT_TWICE = 0.02  # of the sends are made once more after their answer


class Quota:
    """How many events may have been sent so far; who wants more waits."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._allowed = self._taken = 0
        self._changed = threading.Condition()
        self._closed = False

    def raise_to(self, allowed: int) -> None:
        """Allow so many."""
        with self._changed:
            self._allowed = max(self._allowed, min(allowed, self._events))
            self._changed.notify_all()

    def take(self, most: int) -> range:
        """The numbers of the next events; none when all are taken, or it is closed."""
        with self._changed:
            while self._taken == self._allowed < self._events and not self._closed:
                self._changed.wait()
            if self._closed:
                return range(0)
            taken = range(self._taken, min(self._taken + most, self._allowed))
            self._taken = taken.stop
            return taken

    def close(self) -> None:
        """Give no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Ledger:
    """What the producers were answered: an id for each number."""

    def __init__(self) -> None:
        self.ids: dict[int, str] = {}
        self.recovered = 0  # answers that said: this was accepted before, and its answer lost
        self.contradictions: list[str] = []
        self._lock = threading.Lock()

    def write(self, numbers: Sequence[int], answers: Sequence[Emitted], *, again: bool) -> None:
        """Keep answers; a number that was answered before must be answered alike."""
        with self._lock:
            for number, answer in zip(numbers, answers, strict=True):
                known = self.ids.setdefault(number, answer.id)
                if known != answer.id:
                    text = f"lead {number} was answered {known}, and then {answer.id}"
                    self.contradictions.append(text)
                elif again and not answer.duplicate:
                    self.contradictions.append(f"lead {number} was accepted twice as {known}")
                elif answer.duplicate and not again:
                    self.recovered += 1


class Producers:
    """Threads that send whatever the quota allows."""

    def __init__(self, doors: Sequence[str], key: str, quota: Quota, seed: int) -> None:
        self.ledger = Ledger()
        self.errors: list[BaseException] = []
        self._quota = quota
        self._ended = threading.Event()
        self._transports = [_Counting(door) for door in doors]
        self._producers = [
            # One attempt: what comes next after a failure is ours to choose.
            Producer(one.url, key=key, timeout=8, attempts=1, deadline=8, transport=one)
            for one in self._transports
        ]
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(f"{seed}-{number}"),))
            for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def under_way(self, door: str) -> int:
        """How many requests to that door have no answer yet."""
        return sum(one.under_way for one in self._transports if one.url == door)

    def failures(self) -> Counter[str]:
        """How often an attempt went unanswered, by door."""
        return Counter({one.url: one.failures for one in self._transports})

    def stop(self) -> None:
        """Stop in the middle, unless all is sent."""
        self._ended.set()
        self._quota.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        for producer in self._producers:
            producer.close()

    @property
    def finished(self) -> bool:
        """Whether everything was sent and answered."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, chance: random.Random) -> None:
        try:
            while numbers := self._quota.take(_batch_size(chance)):
                self._send(numbers, chance, again=False)
                if chance.random() < _SENT_TWICE:
                    self._send(numbers, chance, again=True)
        except BaseException as error:  # noqa: BLE001 - the run ends with it
            self.errors.append(error)

    def _send(self, numbers: range, chance: random.Random, *, again: bool) -> None:
        """Send the same events with the same keys, to one door or another, until it answers."""
        events = [Lead(number=number).event for number in numbers]
        at = chance.randrange(len(self._producers))
        while not self._ended.is_set():
            producer = self._producers[at % len(self._producers)]
            try:
                if len(events) == 1:
                    one = events[0]
                    answers = [producer.emit(one.type, one.data, client=one.client,
                                             idempotency_key=one.idempotency_key)]  # fmt: skip
                else:
                    answers = producer.emit_many(events)
            except Unreachable:
                at += 1
                self._ended.wait(chance.uniform(0.05, 0.4))
            else:
                self.ledger.write(numbers, answers, again=again)
                return


def _batch_size(chance: random.Random) -> int:
    """Every second one alone, the others in batches of all sizes."""
    return 1 if chance.random() < 0.5 else chance.randint(2, _LARGEST_BATCH)


class _Counting(HttpTransport):
    """The SDK's own transport, which knows how many requests are under way."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
        self.under_way = self.failures = 0
        self._counting = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send one, counted."""
        with self._counting:
            self.under_way += 1
        try:
            return super().send(request)
        except Exception:
            self.failures += 1
            raise
        finally:
            with self._counting:
                self.under_way -= 1
