"""A door that exists in memory only, for the tests of those who use the SDK."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshline.errors import Unreachable
from meshline.event import Event
from meshline.producer import BATCH
from meshline.transport import Request, Response


class RecordingTransport:
    """Takes triggers as a door does, keeps them in `events`, and fails when a test asks it to.

    It knows an idempotency key again; time passes for it only in `pause`.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []  # each one once
        self.requests: list[Request] = []
        self.pauses: list[float] = []  # seconds
        self._lock = threading.Lock()
        self._planned: deque[Response | _Cut] = deque()
        self._known: dict[tuple[str | None, str], tuple[str, Event]] = {}

    def answer_next(
        self,
        status: int,
        *,
        problem: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        times: int = 1,
    ) -> None:
        """Answer the next request like this and take nothing."""
        if problem is not None:
            body = json.dumps({"status": status, **problem}).encode()
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        self._planned.extend([Response(status=status, headers=lowered, body=body)] * times)

    def cut_next(self, *, after_taking: bool = False, times: int = 1) -> None:
        """Leave the next request without an answer; `after_taking` it was accepted all the same."""
        self._planned.extend([_Cut(after_taking=after_taking)] * times)

    def send(self, request: Request) -> Response:
        """Take the request, or do what was planned. Raises Unreachable for a planned cut."""
        with self._lock:
            self.requests.append(request)
            planned = self._planned.popleft() if self._planned else None
            if isinstance(planned, Response):
                return planned
            if planned is None:
                return self._take(request)
            if planned.after_taking:
                self._take(request)
            raise Unreachable("the connection was cut")

    def now(self) -> float:
        """The pauses, summed up."""
        return sum(self.pauses)

    def pause(self, seconds: float) -> None:
        """Note it and go on."""
        self.pauses.append(seconds)

    def close(self) -> None:
        """Nothing to give back."""

    def _take(self, request: Request) -> Response:
        parsed = json.loads(request.body)
        if request.headers["Content-Type"] != BATCH:
            return self._take_all([Event(**parsed)], single=True)
        return self._take_all([Event(**item) for item in parsed], single=False)

    def _take_all(self, events: list[Event], *, single: bool) -> Response:
        if any(self._conflicts(event) for event in events):
            return _answer(409, _CONFLICT)
        receipts = [self._accept(event) for event in events]
        return _answer(202, receipts[0] if single else {"events": receipts})

    def _conflicts(self, event: Event) -> bool:
        known = self._known.get((event.client, event.idempotency_key))
        return known is not None and known[1] != event

    def _accept(self, event: Event) -> dict[str, Any]:
        known = (event.client, event.idempotency_key)
        if known in self._known:
            return {"id": self._known[known][0], "duplicate": True}
        self.events.append(event)
        self._known[known] = (f"event-{len(self.events)}", event)
        return {"id": self._known[known][0], "duplicate": False}


@dataclass(frozen=True, kw_only=True)
class _Cut:
    after_taking: bool


_CONFLICT = {
    "status": 409,
    "code": "idempotency_conflict",
    "detail": "this key came before, with another payload",
    "field": "idempotency_key",
    "fix": "use a new key for a new event",
}


def _answer(status: int, document: Mapping[str, Any]) -> Response:
    return Response(status=status, headers={}, body=json.dumps(document).encode())
