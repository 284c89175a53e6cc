"""How a version is rolled out: watched beside the live one, tried on a few events, then on all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import orjson

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.durations import seconds, told_seconds

WHOLE = 10_000
"""A share of all events; shares are counted in ten-thousandths, so that none is rounded."""

MOST_STEPS = 10
MOST_SECONDS = 28 * 86_400
"""A rollout that has not come to its end by then goes back."""

MOST_AT_ONCE = 3
"""Events of a canary that are claimed and not judged yet, at the most."""

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")
_EVENTS = re.compile(r"([1-9][0-9]{0,6})ev")


class Mode(StrEnum):
    """What a candidate does in a step."""

    SHADOW = "shadow"  # it decides beside the live version, and sends nothing
    CANARY = "canary"  # it decides about a share of the events


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a rollout."""

    number: int  # 0 is the shadow, 1 the first share of the canary
    mode: Mode
    share: int  # of all events, in ten-thousandths; of a shadow 0

    def told(self) -> str:
        """It in words.

        >>> Step(number=1, mode=Mode.CANARY, share=500).told()
        'canary of 5%'
        """
        return "shadow" if self.mode is Mode.SHADOW else f"canary of {told_share(self.share)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """The steps between an approval and being live, as whoever proposed the change named them."""

    shadow_seconds: int | None  # decides beside the live version for so long; None: it does not
    shares: tuple[int, ...]  # of a canary, rising, in ten-thousandths of all events
    each_events: int  # that a step of the canary has to see judged, and
    each_seconds: int  # how long it has to last

    def steps(self) -> tuple[Step, ...]:
        """In their order."""
        shadow = () if self.shadow_seconds is None else (Step(number=0, mode=Mode.SHADOW, share=0),)
        canary = (
            Step(number=number, mode=Mode.CANARY, share=share)
            for number, share in enumerate(self.shares, start=1)
        )
        return (*shadow, *canary)

    def step_after(self, number: int) -> Step | None:
        """The next step; None: the version is live for all."""
        return next((one for one in self.steps() if one.number > number), None)

    def text(self) -> str:
        """Canonical JSON: a row keeps it, and an approval covers it."""
        said = {
            "shadow": self.shadow_seconds,
            "canary": self.shares,
            "events": self.each_events,
            "seconds": self.each_seconds,
        }
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_text(cls, text: str) -> Rollout:
        """What `text` wrote."""
        said = orjson.loads(text)
        return cls(
            shadow_seconds=said["shadow"],
            shares=tuple(said["canary"]),
            each_events=said["events"],
            each_seconds=said["seconds"],
        )

    def told(self) -> str:
        """It in words.

        >>> Rollout(shadow_seconds=86_400, shares=(500, 10_000), each_events=100,
        ...         each_seconds=7_200).told()
        'shadow for 1d, then canary of 5%, 100%, each for 100 events and 2h'
        """
        parts = []
        if self.shadow_seconds is not None:
            parts.append(f"shadow for {told_seconds(self.shadow_seconds)}")
        if self.shares:
            shares = ", ".join(told_share(one) for one in self.shares)
            told = f"{self.each_events} events" if self.each_events else ""
            lasts = told_seconds(self.each_seconds) if self.each_seconds else ""
            each = " and ".join(filter(None, (told, lasts)))
            parts.append(f"canary of {shares}, each for {each}")
        return ", then ".join(parts)


def read_rollout(shadow: str | None, canary: str | None, each: str | None) -> Rollout | None:
    """A rollout as people write it: `24h`, `5%,25%,100%`, `100ev,2h`; None without any of them.

    Raises Refused with the field and what to write.

    >>> read_rollout(None, "5%,100%", "100ev").shares
    (500, 10000)
    """
    if shadow is None and canary is None and each is None:
        return None
    if canary is None and each is not None:
        raise Refused(
            "`each` says how long a step of a canary lasts, and there is no canary",
            field="each",
            fix="name the canary's shares too, such as 5%,25%,100%",
        )
    shares = () if canary is None else _shares(canary)
    events, lasts = (0, 0) if canary is None else _each(each)
    found = Rollout(
        shadow_seconds=None if shadow is None else _duration(shadow, "shadow"),
        shares=shares,
        each_events=events,
        each_seconds=lasts,
    )
    if (found.shadow_seconds or 0) + lasts * len(shares) > MOST_SECONDS:
        raise Refused(
            f"its steps take longer than {told_seconds(MOST_SECONDS)} together",
            field="shadow" if canary is None else "each",
            fix="write shorter or fewer steps",
        )
    return found


def _shares(text: str) -> tuple[int, ...]:
    shares = tuple(_share(one.strip()) for one in text.split(","))
    if list(shares) != sorted(set(shares)):
        raise Refused(
            f"the shares of {text!r} do not rise", field="canary", fix="write 5%,25%,100%"
        )
    if len(shares) > MOST_STEPS:
        raise Refused(
            f"a canary has at most {MOST_STEPS} steps", field="canary", fix="leave some of them out"
        )
    return shares


def _share(text: str) -> int:
    match = _PERCENT.fullmatch(text)
    share = 0 if match is None else int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not 0 < share <= WHOLE:
        raise Refused(
            f"{text!r} is not a share between 0.01% and 100%",
            field="canary",
            fix="write shares that rise, such as 5%,25%,100%",
        )
    return share


def _each(text: str | None) -> tuple[int, int]:
    """Events and seconds of a step."""
    events = lasts = 0
    for part in (text or "").split(","):
        one = part.strip()
        match = _EVENTS.fullmatch(one)
        if match is not None and not events:
            events = int(match[1])
        elif match is None and not lasts:
            lasts = _duration(one, "each")
        else:
            raise _no_each(one)
    return events, lasts


def _duration(text: str, field: str) -> int:
    try:
        found = int(seconds(text.strip()))
    except ValueError:
        found = 0
    if found < 1:
        raise (
            _no_each(text)
            if field == "each"
            else Refused(
                f"{text!r} is not a duration of a second or more", field=field, fix="write 24h"
            )
        )
    return found


def _no_each(text: str) -> Refused:
    return Refused(
        f"{text!r} does not say how long each step of the canary lasts",
        field="each",
        fix="write 100ev,2h: so many events and so much time; or one of the two",
    )


def told_share(share: int) -> str:
    """A share as people write it.

    >>> told_share(500), told_share(25), told_share(WHOLE)
    ('5%', '0.25%', '100%')
    """
    return f"{share / 100:g}%"
