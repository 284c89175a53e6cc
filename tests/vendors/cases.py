"""One action of one shipped definition, with the stand-in that it is tried against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.vendors.stand_in import StandIn


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
    changes: bool = False  # it changes what is there: nothing new is stored

    @property
    def name(self) -> str:
        return f"{self.connector}.{self.action}"
