"""JSON values as strangers make them: plain ones, and those that break parsers and columns."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

PRIVATE = "@private.example"
"""Every address that is made up here ends so: no log may hold one."""

NASTY_TEXTS = (
    "",
    " ",
    "\0",
    "\x1b[2J\x1b[31m",
    "\r\nX-Injected: yes",
    "\u202egnp.exe",
    "\ufeffdata",
    "\x85\x9b",
    "\ud83d\ude00" * 40,
    "<script>alert(1)</script>",
    "' OR 1=1; --",
    "../../../../etc/passwd",
    "${env:PATH}",
    "{{ 7 * 7 }}",
    "=?utf-8?q?Hi=0d=0aBcc:=20x?=",
    "a" * 5_000,
    "a" * 60 + "!",  # slow for a pattern that backtracks
    "(" * 400,
    "9" * 400,
    "1e309",
    "NaN",
    "__proto__",
    "2026-02-30T25:61:61Z",
)
NASTY_NUMBERS = (
    "0", "-0", "-0.0", "1e308", "1e-400", "1E400", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "0.1", "1.0", "01", "+1", ".5", "1.", "1" * 500, "NaN", "Infinity",
)  # fmt: skip
NAMES = ("email", "tier", "message", "customer_tier", "items", "id", "type", "data", "n", "a", "")


class Maker:
    """Makes values by chance; the same seed makes the same ones."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def one_in(self, number: int) -> bool:
        """True once in so many times."""
        return self.chance.randrange(number) == 0

    def text(self) -> str:
        """A text; some of them are somebody's address."""
        if self.one_in(3):
            return f"u{self.chance.randrange(10**9)}{PRIVATE}"
        if self.one_in(2):
            return self.chance.choice(NASTY_TEXTS)
        return "".join(
            chr(self.chance.randrange(32, 0x2FF)) for _ in range(self.chance.randrange(12))
        )

    def name(self) -> str:
        """A property's name."""
        return self.text() if self.one_in(6) else self.chance.choice(NAMES)

    def value(self, depth: int = 4) -> object:
        """Any JSON value, not much deeper than `depth`."""
        makers: tuple[Callable[[], object], ...] = (
            lambda: None,
            lambda: self.one_in(2),
            lambda: self.chance.randrange(-(2**40), 2**40),
            lambda: self.chance.random() * 1e6,
            self.text,
            self.text,
        )
        if depth > 0 and self.one_in(2):
            size = self.chance.choice((0, 1, 2, 3, 5, 40 if depth > 3 else 4))
            if self.one_in(2):
                return [self.value(depth - 1) for _ in range(size)]
            return {self.name(): self.value(depth - 1) for _ in range(size)}
        return self.chance.choice(makers)()

    def lead(self) -> dict[str, object]:
        """A payload that the example's contract takes."""
        found: dict[str, object] = {
            "email": f"u{self.chance.randrange(10**9)}{PRIVATE}",
            "tier": self.chance.choice(("enterprise", "pro", "starter")),
        }
        if self.one_in(2):
            found["message"] = self.text()
        return found

    def almost_lead(self) -> object:
        """A lead with something wrong in it, or something else altogether."""
        if self.one_in(4):
            return self.value(6)
        found = self.lead()
        for _ in range(self.chance.randrange(1, 4)):
            found[self.name()] = self.value(3)
        if self.one_in(2):
            found.pop(self.chance.choice(list(found)), None)
        return found

    def deep(self, depth: int) -> object:
        """A value that nests `depth` levels."""
        value: object = self.chance.choice((1, "x", None))
        for _ in range(depth):
            value = [value] if self.one_in(2) else {self.chance.choice(NAMES): value}
        return value


def written(value: object) -> bytes:
    """A value as JSON; lone surrogates stay escapes."""
    return json.dumps(value).encode()


def mangled(chance: random.Random, raw: bytes) -> bytes:
    """A text with a few bytes taken out, doubled, moved or changed."""
    found = bytearray(raw)
    for _ in range(chance.randrange(1, 4)):
        if not found:
            break
        at = chance.randrange(len(found))
        end = min(len(found), at + chance.choice((1, 1, 2, 8, 64)))
        kind = chance.randrange(5)
        if kind == 0:
            del found[at:end]
        elif kind == 1:
            found[at:at] = found[at:end] * chance.choice((1, 2, 50))
        elif kind == 2:
            found[at] = chance.randrange(256)
        elif kind == 3:
            found[at:end] = chance.choice(NASTY_NUMBERS).encode()
        else:
            found[at:at] = chance.choice(NASTY_TEXTS).encode(errors="surrogatepass")
    return bytes(found)
