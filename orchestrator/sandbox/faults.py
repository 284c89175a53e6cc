"""What can go wrong at the sandbox, on demand.

POST /faults takes {"mode": …, "path": prefix, "method": "POST", "count": n, "seconds": s,
"status": code, "share": part, "seed": n}; only `mode` is needed. A fault strikes the next `count`
requests that it fits, or with `share` one in so many of them by chance.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

_HUGE = 4 * 1_048_576
MODES = {
    "slow": "waits for `seconds`, then answers as usual",
    "error": "answers `status` and stores nothing",
    "error_after_store": "stores, then answers `status`",
    "rate_limit": "answers 429 with Retry-After: `seconds`, stores nothing",
    "cut": "hangs up without an answer, stores nothing",
    "cut_after_store": "stores, then hangs up without an answer",
    "huge": "stores, then answers with 4 MiB",
    "garbage": "stores, then answers 200 with a page that is not JSON",
    "redirect": "answers 302 to another address, stores nothing",
}


class NotAFault(ValueError):
    """Raised when what was asked for is not a fault; the text says what is."""


@dataclass(kw_only=True)
class Fault:
    """One fault and how often it is still to come."""

    mode: str
    path: str = "/"  # requests whose path starts with it
    method: str = "POST"
    count: int = 1
    seconds: float = 1.0
    status: int = 500
    share: float = 1.0  # of the requests that it fits
    seed: int = 0  # which of them

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def strikes(self, method: str, path: str) -> bool:
        """Whether it is this request that goes wrong."""
        fits = self.method == method and path.startswith(self.path)
        return fits and (self.share >= 1 or self._chance.random() < self.share)

    @property
    def waits(self) -> bool:
        """Whether the answer takes `seconds`."""
        return self.mode == "slow"

    @property
    def stores(self) -> bool:
        """Whether the request is carried out."""
        return self.mode in ("slow", "error_after_store", "cut_after_store", "huge", "garbage")

    @property
    def cuts(self) -> bool:
        """Whether the connection ends without an answer."""
        return self.mode.startswith("cut")

    def answer(self) -> web.Response | None:
        """What is answered instead of the truth; None where that is answered."""
        match self.mode:
            case "error" | "error_after_store":
                return web.Response(status=self.status, text='{"error": "as you asked"}')
            case "rate_limit":
                wait = {"Retry-After": f"{self.seconds:.0f}"}
                return web.Response(status=429, headers=wait, text='{"error": "slow down"}')
            case "huge":
                return web.Response(status=200, body=b'"' + b"x" * _HUGE + b'"')
            case "garbage":
                return web.Response(status=200, text="<html>Under maintenance</html>")
            case "redirect":
                return web.Response(status=302, headers={"Location": "/ledger"})
        return None


class Faults:
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, asked: object) -> None:
        """Take one in. Raises NotAFault."""
        if not isinstance(asked, dict) or asked.get("mode") not in MODES:
            raise NotAFault(f"mode is one of {', '.join(MODES)}")
        self._waiting.append(_fault(asked))

    def next(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, one time less to come."""
        for fault in self._waiting:
            if fault.strikes(method, path):
                fault.count -= 1
                if fault.count <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._waiting.clear()

    def shown(self) -> list[dict[str, Any]]:
        """The faults as JSON values."""
        return [asdict(fault) for fault in self._waiting]


def _fault(asked: dict[str, Any]) -> Fault:
    defaults = asdict(Fault(mode=""))
    for name, value in asked.items():
        if name not in defaults:
            raise NotAFault(f"{name} is not known; there are {', '.join(defaults)}")
        kinds = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise NotAFault(f"{name} is of the wrong type")
    fault = Fault(**asked)
    if fault.count < 1 or not 0 <= fault.seconds <= 3600 or not 400 <= fault.status <= 599:
        raise NotAFault("count starts at 1, seconds at 0, and status is from 400 to 599")
    if not 0 < fault.share <= 1:
        raise NotAFault("share is above 0, and 1 at most")
    return fault
