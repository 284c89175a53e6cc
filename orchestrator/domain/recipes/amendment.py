"""Amendments: what a person changes in a quarantined payload, as values that the audit keeps."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.json_pointer import pointer_steps
from orchestrator.domain.errors import InvalidJson, Refused
from orchestrator.domain.text.hints import did_you_mean

_INDEX = re.compile(r"0|[1-9][0-9]*")
_MOST_STEPS = 64

Action = Literal["rename", "set", "unset"]


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """One change to a payload."""

    action: Action
    path: str  # dotted, or a JSON Pointer: what is renamed, set or taken out
    to: str | None = None  # rename: the new path
    value: object = None  # set: any JSON value

    def describe(self) -> dict[str, object]:
        """The amendment as JSON, for the audit."""
        described: dict[str, object] = {"action": self.action, "path": self.path}
        if self.action == "rename":
            described["to"] = self.to
        if self.action == "set":
            described["value"] = self.value
        return described


def parse_amendments(
    renames: Iterable[str], sets: Iterable[str], unsets: Iterable[str]
) -> tuple[Amendment, ...]:
    """The amendments of a command line: `old=new`, `path=value` and paths; applied in this order.

    A value is JSON where it reads as JSON, and else text: `seats=5` is a number, `seats='"5"'` is
    text. Raises Refused.
    """
    found = []
    for text in renames:
        old, new = _sides(text, "rename", "old=new")
        found.append(Amendment(action="rename", path=_checked(old), to=_checked(new)))
    for text in sets:
        path, value = _sides(text, "set", "path=value")
        found.append(Amendment(action="set", path=_checked(path), value=_value(value)))
    found.extend(Amendment(action="unset", path=_checked(path)) for path in unsets)
    if not found:
        raise Refused(
            "nothing is to be changed",
            fix="give --rename old=new, --set path=value or --unset path",
        )
    return tuple(found)


def apply_amendments(payload: object, amendments: Iterable[Amendment]) -> object:
    """The payload with the amendments made, one after the other; the one given stays as it is.

    Raises Refused where one does not fit: nothing to rename, something in the way, a path through
    what is neither object nor array.
    """
    document = EditedPayload(copy.deepcopy(payload))
    for amendment in amendments:
        document.amend(amendment)
    return document.value


class EditedPayload:
    """A payload that is being changed in place. Paths are its own again in every error."""

    def __init__(self, value: object) -> None:
        self.value = value

    def amend(self, amendment: Amendment) -> None:
        """Make one change. Raises Refused where it does not fit."""
        steps = steps_of(amendment.path)
        match amendment.action:
            case "rename":
                self.rename(steps, steps_of(amendment.to or ""))
            case "set":
                self.put(steps, copy.deepcopy(amendment.value), may_replace=True)
            case "unset":
                self.take(steps)

    def rename(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Take what is at `old` to `new`, where nothing may be yet."""
        if new[: len(old)] == old:
            raise _refused(old, "it cannot be moved into itself", "name another place")
        self._holder(new)
        value = self.take(old)
        self.put(new, value, may_replace=False)

    def take(self, steps: Sequence[str]) -> object:
        """Take a value out; answers it."""
        holder, name = self._holder(steps), steps[-1]
        if isinstance(holder, dict) and name in holder:
            return holder.pop(name)
        if isinstance(holder, list) and is_index(name, len(holder)):
            return holder.pop(int(name))
        raise _absent(steps, holder)

    def put(self, steps: Sequence[str], value: object, *, may_replace: bool) -> None:
        """Write a value where its holder is there already."""
        holder, name = self._holder(steps), steps[-1]
        if isinstance(holder, list):
            if not may_replace or not is_index(name, len(holder) + 1):
                fix = f"write an index from 0 to {len(holder)}"
                raise _refused(steps, f"`{name}` is not a place in an array of {len(holder)}", fix)
            holder[int(name) : int(name) + 1] = [value]
        elif name in holder and not may_replace:
            raise _refused(steps, "it is there already", "take it out first, or use --set")
        else:
            holder[name] = value

    def _holder(self, steps: Sequence[str]) -> dict[str, object] | list[object]:
        """The object or array that the last step is in."""
        value = self.value
        for place, step in enumerate(steps[:-1], start=1):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and is_index(step, len(value)):
                value = value[int(step)]
            else:
                absent = _absent(steps[:place], value)
                absent.fix = f"{absent.fix}, or set it first"
                raise absent
        if not isinstance(value, dict | list):
            raise _refused(steps[:-1], "it holds no fields", "name a path through objects")
        return value


def _sides(text: str, option: str, form: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or (option == "rename" and not right):
        raise Refused(f"{text!r} is not of the form {form}", field=option, fix=f"write {form}")
    return left, right


def _value(text: str) -> object:
    try:
        return strict_json.loads(text)
    except InvalidJson:
        pass
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("the value is not Unicode text", field="set", fix="write UTF-8") from None
    return text


def _checked(path: str) -> str:
    steps_of(path)
    return path


def steps_of(path: str) -> list[str]:
    """The steps of a dotted path, or of a JSON Pointer (RFC 6901) where it begins with a slash.

    Raises Refused.
    """
    if path.startswith("/"):
        steps = pointer_steps(path)
    else:
        steps = path.split(".")
        if "" in steps:
            raise Refused(
                f"{path!r} has an empty step",
                field="path",
                fix="write a dotted path such as customer.tier, or a JSON Pointer",
            )
    if len(steps) > _MOST_STEPS:
        raise Refused(f"it has {len(steps)} steps", field="path", fix=f"use at most {_MOST_STEPS}")
    return steps


def is_index(step: str, end: int) -> bool:
    """Whether a step is a place in an array of `end` entries."""
    return bool(_INDEX.fullmatch(step)) and len(step) < 10 and int(step) < end


def _refused(steps: Sequence[str], detail: str, fix: str) -> Refused:
    return Refused(detail, field=".".join(steps) or "payload", fix=fix)


def _absent(steps: Sequence[str], holder: object) -> Refused:
    if isinstance(holder, dict):
        return _refused(steps, "it is not in the payload", did_you_mean(steps[-1], holder))
    if isinstance(holder, list):
        fix = f"write an index under {len(holder)}"
        return _refused(steps, f"it is not in an array of {len(holder)}", fix)
    return _refused(steps, "what should hold it is not an object", "name a path through objects")
