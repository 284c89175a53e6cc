"""What a change changes: the places of a definition that differ, each with before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place that differs."""

    path: str  # such as `sla.deliver_within` or `routes[1].to`
    before: str | None  # its value as JSON; None: it was not there
    after: str | None  # None: it is not there any more


def differences(before: object, after: object) -> list[Difference]:
    """The places that differ, in the order of the file; those that were taken away last.

    >>> [one.path for one in differences({"a": [1, 2], "b": 1}, {"a": [1, 3], "c": 1})]
    ['a[1]', 'c', 'b']
    """
    return list(_walk("", before, after))


def _walk(path: str, before: object, after: object) -> Iterator[Difference]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*after, *(one for one in before if one not in after)]:
            here = f"{path}.{name}" if path else str(name)
            yield from _walk(here, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _walk(f"{path}[{place}]", one, other)
    else:
        yield Difference(path=path, before=_told(before), after=_told(after))


class _Absent:
    """Not there: null is a value."""


_ABSENT = _Absent()


def _told(value: object) -> str | None:
    return None if value is _ABSENT else orjson.dumps(value).decode()
