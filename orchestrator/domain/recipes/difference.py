"""The amendments that make one payload of another: what a person changed in a text editor."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.documents.json_pointer import json_pointer
from orchestrator.domain.documents.strict_json import same_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import Amendment

Steps = tuple[str | int, ...]


def amendments_between(before: object, after: object) -> tuple[Amendment, ...]:
    """What to set and to unset in `before` so that it is `after`; none where they are the same.

    A list of another length is set as a whole. Raises Refused where the whole document would be
    another one: an amendment changes places in it.

    >>> [(one.action, one.path) for one in amendments_between({"a": 1, "b": [1]}, {"b": [2]})]
    [('unset', '/a'), ('set', '/b/0')]
    """
    return tuple(_between((), before, after))


def _between(at: Steps, before: object, after: object) -> Iterator[Amendment]:
    if same_json(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:
            if name not in after:
                yield Amendment(action="unset", path=json_pointer((*at, name)))
        for name, value in after.items():
            if name in before:
                yield from _between((*at, name), before[name], value)
            else:
                yield Amendment(action="set", path=json_pointer((*at, name)), value=value)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _between((*at, place), one, other)
    elif at:
        yield Amendment(action="set", path=json_pointer(at), value=after)
    else:
        raise Refused(
            "it is another document altogether",
            field="payload",
            fix="keep the outermost object or list, and change what is in it",
        )
