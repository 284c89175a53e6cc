"""A door that exists in memory only, for the tests of those who use the SDK."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from meshline.core import BATCH
from meshline.encoding import DEEPEST, LONGEST, MOST_BYTES, MOST_VALUES, fault_of_text
from meshline.errors import Unreachable
from meshline.event import Event
from meshline.transport import Request, Response


class RecordingTransport:
    """Takes triggers as a door does, keeps them in `events`, and fails when a test asks it to.

    It knows an idempotency key again, and refuses what a door with its default settings refuses;
    with `types`, what no workflow takes too, and with `clients`, what its key may not send. Time
    passes for it only in `pause`.
    """

    def __init__(
        self, *, types: Collection[str] | None = None, clients: Collection[str] = ()
    ) -> None:
        self._types = types
        self._clients = clients
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
        whole = json.loads(request.body)
        if request.headers["Content-Type"] != BATCH:
            if len(request.body) > MOST_BYTES:
                problem = {"code": "payload_too_large", "detail": "too large", "field": "body"}
                return _answer(413, {"status": 413, **problem, "fix": "send less"})
            refused = self._refusal(whole)
            return refused or self._take_all([Event(**whole)], single=True)
        for index, item in enumerate(whole):
            if refused := self._refusal(item, index):
                return refused
        return self._take_all([Event(**item) for item in whole], single=False)

    def _refusal(self, item: Mapping[str, Any], index: int | None = None) -> Response | None:
        fault = _fault(item) or self._fault_of_settings(item)
        if fault is None:
            return None
        status, code, field, detail, fix = fault
        problem = {"status": status, "code": code, "detail": detail, "field": field, "fix": fix}
        return _answer(status, problem if index is None else {**problem, "index": index})

    def _fault_of_settings(self, item: Mapping[str, Any]) -> _Fault | None:
        client = item.get("client")
        if self._clients and client not in self._clients and (client or len(self._clients) > 1):
            fix = f"name one of: {', '.join(self._clients)}"
            return 403, "client_not_permitted", "client", "the key may not act for it", fix
        if self._types is not None and item["type"] not in self._types:
            detail, fix = "no live workflow takes it", f"send one of: {', '.join(self._types)}"
            return 422, "unknown_trigger", "type", detail, fix
        return None

    def _take_all(self, events: list[Event], *, single: bool) -> Response:
        if any(self._conflicts(event) for event in events):
            return _answer(409, _CONFLICT)
        receipts = [self._accept(event) for event in events]
        return _answer(202, receipts[0] if single else {"events": receipts})

    def _conflicts(self, event: Event) -> bool:
        known = self._known.get((event.client, event.idempotency_key))
        if known is None:
            return False
        # Python holds 1, 1.0 and true for equal, and the door does not.
        return known[1] != event or _as_text(known[1].data) != _as_text(event.data)

    def _accept(self, event: Event) -> dict[str, Any]:
        known = (event.client, event.idempotency_key)
        if known in self._known:
            return {"id": self._known[known][0], "duplicate": True}
        self.events.append(event)
        self._known[known] = (f"event-{len(self.events)}", event)
        return {"id": self._known[known][0], "duplicate": False}


@dataclass(frozen=True)
class _Cut:
    after_taking: bool


_Fault = tuple[int, str, str, str, str]
"""Status, code, field, what is wrong, and the fix."""


def _fault(item: Mapping[str, Any]) -> _Fault | None:
    """What every door with its default settings refuses."""
    for name in LONGEST:
        if name in item and (wrong := fault_of_text(name, item[name])):
            return 422, "invalid_trigger", name, *wrong
    document = json.dumps(item["data"], separators=(",", ":"), ensure_ascii=False)
    if len(document.encode()) > MOST_BYTES:
        return 413, "payload_too_large", "data", "the payload is too large", "send less"
    depth, values = _extent(item["data"])
    if depth > DEEPEST:
        detail = f"it nests deeper than {DEEPEST} levels"
        return 400, "invalid_json", "body", detail, "send flatter data"
    if values > MOST_VALUES:
        return 413, "payload_too_large", "body", "it holds too many values", "send fewer values"
    return None


def _extent(value: object) -> tuple[int, int]:
    """How deep a value nests, and how many values it holds."""
    if not isinstance(value, (dict, list)):
        return 0, 1
    inner = [_extent(one) for one in (value.values() if isinstance(value, dict) else value)]
    return 1 + max((one[0] for one in inner), default=0), 1 + sum(one[1] for one in inner)


def _as_text(data: object) -> str:
    return json.dumps(data, sort_keys=True)


_CONFLICT = {
    "status": 409,
    "code": "idempotency_conflict",
    "detail": "this key came before, with another payload",
    "field": "idempotency_key",
    "fix": "use a new key for a new event",
}


def _answer(status: int, document: Mapping[str, Any]) -> Response:
    return Response(status=status, headers={}, body=json.dumps(document).encode())
