"""Which parts of an audit row's detail are values, and how the row is bound to them.

A row of the audit is never changed, so it holds names, counts, paths and commitments only. A
commitment is HMAC-SHA256 of the value under a random salt that is kept beside the value: it proves
the value for as long as both are kept, and tells nothing once they are erased.
"""

from __future__ import annotations

import copy
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import orjson

SALT_BYTES = 16  # 128 random bits: nobody finds a value by trying all there are

COMMITMENT = "commitment"
"""The one key of the object that an audit row has in the place of a value."""

NAMES = frozenset({
    "acknowledged_by", "alert", "approved_by", "bad", "base", "because", "before", "by", "change",
    "circuit", "client", "clients", "days",
    "dead_letter", "dead_letters", "defaulted", "destination", "digest", "due_at", "effects",
    "events", "failures", "for", "found", "from", "gate", "grade", "items", "job", "jobs", "keeper",
    "key", "kind",
    "outcome", "owner", "plan", "plan_digest", "plans", "qa_gate", "quota", "rate", "recipe",
    "record_id",
    "role", "route", "seconds",
    "round", "send_again", "share", "step", "subject", "to", "until", "version", "way", "when",
})  # fmt: skip
"""What stays in the row: our own words, counts, and names that a workflow declares. All else
is a value, so that a writer who forgets this list keeps too little in the row, never too
much."""

_CHANGES = ("amendments", "steps")  # lists of small changes to a payload
_VALUES_OF_A_CHANGE = ("value", "values", "reason")
_SHORTEST_REPEATED = 4  # characters; what is shorter is in any text by chance
_TELLING = re.compile(r"[@\s]|\d{4}")

Detail = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value where the detail's key would pass for a name."""

    value: object


def values_in(detail: Detail) -> dict[str, object]:
    """The values of an audit row's detail, each by its JSON Pointer."""
    found: dict[str, object] = {}
    for name, value in detail.items():
        if isinstance(value, Value):
            if value.value is not None:
                found[f"/{name}"] = value.value
        elif name in _CHANGES and isinstance(value, list | tuple):
            for place, change in enumerate(value):
                found.update(_values_of_change(f"/{name}/{place}", change))
        elif name not in NAMES and not (value is None or isinstance(value, bool)):
            found[f"/{name}"] = value
    return found


def has_values(detail: Detail | None) -> bool:
    """Whether `values_in` finds any; of a detail with names only that is known at once."""
    if not detail:
        return False
    if NAMES.issuperset(detail) and Value not in map(type, detail.values()):
        return False
    return bool(values_in(detail))


def _values_of_change(pointer: str, change: object) -> dict[str, object]:
    if not isinstance(change, Mapping):
        return {pointer: change}
    return {
        f"{pointer}/{name}": value
        for name, value in change.items()
        # A path says where; one that has a sender's own key in it may say of whom.
        if name in _VALUES_OF_A_CHANGE or (isinstance(value, str) and is_telling(value))
    }


def as_json(detail: Detail | None) -> str | None:
    """A detail without a value as the store keeps it; what was marked as one may be nothing."""
    return None if detail is None else orjson.dumps(detail, default=_nothing).decode()


def _nothing(one: object) -> None:
    if not (isinstance(one, Value) and one.value is None):
        raise TypeError(f"{type(one).__name__} has no place in the audit")


def commit(salt: bytes, pointer: str, value: str) -> str:
    """The commitment to a value, which is JSON text, as 64 hex digits."""
    return hmac.digest(salt, f"{pointer}\0{value}".encode(), "sha256").hex()


def put_at(detail: Detail, values: Mapping[str, object]) -> dict[str, object]:
    """The detail with these values at their pointers; the one given stays as it is."""
    if not values:
        return dict(detail)
    whole: dict[str, object] = copy.deepcopy(dict(detail))
    for pointer, value in values.items():
        holder: object = whole
        *steps, name = pointer[1:].split("/")
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]  # type: ignore[index]
        holder[int(name) if isinstance(holder, list) else name] = value  # type: ignore[index]
    return whole


def commitments_in(detail: object, pointer: str = "") -> dict[str, str]:
    """The commitments of a detail as the store keeps it, each by its JSON Pointer."""
    if isinstance(detail, dict):
        if len(detail) == 1 and isinstance(detail.get(COMMITMENT), str):
            return {pointer: detail[COMMITMENT]}
        inner = detail.items()
    elif isinstance(detail, list):
        inner = {str(place): one for place, one in enumerate(detail)}.items()
    else:
        return {}
    found: dict[str, str] = {}
    for name, value in inner:
        found.update(commitments_in(value, f"{pointer}/{name}"))
    return found


def repeats(text: str, sent: Mapping[str, object]) -> bool:
    """Whether a text holds one of the texts that were sent, as a record id may hold an address."""
    longest = len(text) + 8  # small letters may be more than capital ones were
    for value in sent.values():  # of each delivery that is made: most values are too long
        if type(value) is str and _SHORTEST_REPEATED <= len(value) <= longest:
            known = (unquote(text) if "%" in text else text).casefold()
            if value.casefold() in known:
                return True
    return False


def is_telling(text: str) -> bool:
    """Whether a text looks as if it were about somebody: an address, a phrase, a long number."""
    return len(text) >= _SHORTEST_REPEATED and bool(_TELLING.search(text))
