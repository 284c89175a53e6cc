"""One action of one shipped definition, with the stand-in that it is tried against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.vendors.stand_ins.server import StandIn

LINES = (
    "Hello,\nAnn & Bob want <enterprise> \U0001f600 \u2705\n\n"
    "see https://shop.example/a?b=1&c=2 or mail ann@b.example\n"
)
"""A text as people write it: several lines, a link, an address, emoji."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a test needs to know of one action."""

    connector: str
    action: str
    stand_in: Callable[[], StandIn]
    fields: Mapping[str, Any]
    other: Mapping[str, Any]  # the fields of another delivery
    confirm: tuple[str, ...]  # empty: a receipt
    environment: Mapping[str, str] = field(default_factory=dict)  # "URL" is the stand-in's
    address: str = "URL"  # the base URL, with "URL" for the stand-in's
    kind: str = ""  # what of the stand-in's records is counted
    spoiled: str = ""  # the stored field that a spoilt record has otherwise
    prepare: Callable[[StandIn], None] = lambda stand_in: None
    # What vendors rewrite, by field: texts of several lines, blanks, numbers, tags, moments.
    rewritten: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = False  # it changes what is there: nothing new is stored

    @property
    def name(self) -> str:
        return f"{self.connector}.{self.action}"
