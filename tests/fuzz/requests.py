"""Requests as strangers send them: raw bytes for the door's socket, right in most parts."""

from __future__ import annotations

import random

from tests.fuzz.values import NASTY_TEXTS, PRIVATE, Maker, mangled, written

_TYPES = (
    "application/json", "application/json; charset=utf-8", "application/cloudevents+json",
    "application/cloudevents-batch+json", "application/vnd.meshline.batch+json", "text/plain",
    "application/json; charset=utf-16", "multipart/form-data", "a/b/c", "",
)  # fmt: skip
_PATHS = (
    "/v1/events", "/v1/events", "/v1/events", "/v1/events", "/v1/events/x", "/healthz", "/metrics",
    "/v1/events/0197a0c0ffee70008000000000000001", "/v1//events", "/%00", "/v1/events?a=%zz", "*",
    "/readyz", "/v1/events/" + "a" * 3_000, "/../../etc/passwd", "/v1/hooks/x",
)  # fmt: skip
_METHODS = (
    "POST",
    "POST",
    "POST",
    "POST",
    "GET",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "get",
    "BREW",
)


class Requests:
    """Makes requests by chance; `key` is one that the door knows."""

    def __init__(self, chance: random.Random, key: str) -> None:
        self.make = Maker(chance)
        self.chance = chance
        self._key = key

    def any(self) -> bytes:
        """One whole request."""
        kind = self.chance.randrange(10)
        if kind < 4:
            return self._request("POST", "/v1/events", self._json(), self._trigger(right=True))
        if kind < 7:
            return self._request("POST", "/v1/events", self._json(), self._trigger(right=False))
        if kind == 7:
            return self._cloud_event()
        raw = self._request(
            self.chance.choice(_METHODS),
            self.chance.choice(_PATHS),
            {"content-type": self.chance.choice(_TYPES), **self._odd_headers()},
            self.chance.choice((b"", self._trigger(right=False), b"[" * 3_000, b"\xff\xfe{}")),
        )
        return self._headless(raw) if self.make.one_in(3) else raw

    def _json(self) -> dict[str, str]:
        return {"content-type": "application/json"}

    def _trigger(self, *, right: bool) -> bytes:
        make = self.make
        trigger: dict[str, object] = {"type": "lead.created", "data": make.lead()}
        if make.one_in(2):
            trigger["idempotency_key"] = f"k{self.chance.randrange(10**12)}"
        if right:
            return written(trigger)
        kind = self.chance.randrange(6)
        if kind == 0:
            trigger["data"] = make.almost_lead()
        elif kind == 1:
            trigger[make.name()] = make.value(2)
        elif kind == 2:
            trigger["type"] = make.value(1)
        elif kind == 3:
            trigger["idempotency_key"] = make.value(1)
        elif kind == 4:
            trigger["data"] = make.deep(self.chance.choice((10, 63, 64, 65, 300)))
        raw = written(trigger)
        return mangled(self.chance, raw) if kind == 5 else raw

    def _cloud_event(self) -> bytes:
        headers = {
            "content-type": "application/json",
            "ce-specversion": self.chance.choice(("1.0", "1.0", "0.3", "", "\xff")),
            "ce-type": self.chance.choice(("lead.created", self.make.text())),
            "ce-source": self.chance.choice(("/forms", "", "http://[", self.make.text())),
            "ce-id": f"c{self.chance.randrange(10**12)}",
            "ce-client": self.chance.choice(("acme", "other", self.make.text())),
        }
        for _ in range(self.chance.randrange(2)):
            headers.pop(self.chance.choice(list(headers)))
        return self._request("POST", "/v1/events", headers, written(self.make.lead()))

    def _odd_headers(self) -> dict[str, str]:
        odd: tuple[dict[str, str], ...] = (
            {"expect": "100-continue"},
            {"content-encoding": self.chance.choice(("gzip", "br", "identity"))},
            {"x-long": "v" * 20_000},
            {f"x-{number}": "v" for number in range(150)},
            {"host": self.chance.choice(("evil.example", "", "a b"))},
            {
                "authorization": self.chance.choice(
                    ("", "Bearer", "Basic x", "Bearer " + "k" * 5_000)
                )
            },
            {self.chance.choice(("x y", "x:", "ü")): self.chance.choice(NASTY_TEXTS[:8])},
            {},
        )
        return self.chance.choice(odd)

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        every = {
            "host": "127.0.0.1",
            "authorization": f"Bearer {self._key}",
            "content-length": str(len(body)),
            **headers,
        }
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in every.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", errors="surrogatepass") + body

    def _headless(self, raw: bytes) -> bytes:
        """The request with its head mangled; whoever sends it hears nothing, or a refusal."""
        head, _, body = raw.partition(b"\r\n\r\n")
        return mangled(self.chance, head) + b"\r\n\r\n" + body


def is_private(text: str) -> bool:
    """Whether a person's address is in it."""
    return PRIVATE in text
