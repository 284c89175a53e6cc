"""Where a value is in an answer: dotted, `data.0.id`, or a JSON Pointer, `/data/0/id`.

In a dotted path `fields[id=7].value` takes, of a list, the first object whose `id` reads 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.delivery.comparing import DAMAGED
from orchestrator.domain.documents.json_pointer import pointer_steps

_LONGEST_ID = 500
_JSON_PATH = re.compile(r"\$(?:$|[.\[])")
_BRACKET = re.compile(r"""\[(?:'([^']*)'|"([^"]*)"|([0-9]+))\]""")
_DOTTED = re.compile(r"(?:[^.\[\]]+|(?<!\.)\[[^\]=]+=[^\]]*\])(?:\.(?=[^.\[])|(?=\[)|$)")


class Unreadable(ValueError):
    """Raised when an answer lacks what its definition says it has."""


@dataclass(frozen=True, slots=True)
class Select:
    """One step into a list: the first object whose value at `key` reads `text`."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"[{self.key}={self.text}]"


Step = str | Select
Steps = tuple[Step, ...]


def steps(path: str) -> Steps:
    """The steps of a path; "" is the whole answer. Raises ValueError."""
    if path.startswith("/"):
        return tuple(pointer_steps(path))
    found: list[Step] = []
    end = 0
    while end < len(path):
        match = _DOTTED.match(path, end)
        if match is None:
            raise ValueError(f"{path!r} is not a path")
        end = match.end()
        found.append(_step(match.group().removesuffix(".")))
    return tuple(found)


def path_problem(text: str) -> tuple[str, str] | None:
    """Why a text is not a path, and what to write instead; None where it is one."""
    example = "write data.0.id, /data/0/id or list[key=text].id"
    if _JSON_PATH.match(text):
        text = text.removesuffix("[*]")  # the list itself
        if any(sign in text for sign in ("..", "*", "?", ",")):
            return "it is a JSONPath that leads to several places", example
        plain = _BRACKET.sub(lambda one: f".{one[1] or one[2] or one[3]}", text[1:]).strip(".")
        return "it is a JSONPath", f"write {plain}" if plain else 'write ""'
    if text.startswith("#/"):
        return "it is a JSON Pointer with a # before it", f"write {text[1:]}"
    if "*" in re.split(r"[./]", text):
        return "it leads to several places", example
    if text != text.strip():
        return "it begins or ends with a space", f"write {text.strip()}"
    try:
        steps(text)
    except ValueError:
        return "it is not a path in an answer", example
    return None


def dig(value: object, path: Steps) -> object:
    """The value at a path. Raises Unreadable where there is none."""
    found = _dig(value, path)
    if found is _NOTHING:
        raise Unreadable(f"the answer has nothing at {shown(path)}")
    return found


def dig_or_none(value: object, path: Steps) -> object:
    """The value at a path, or None where there is none."""
    found = _dig(value, path)
    return None if found is _NOTHING else found


def has(value: object, path: Steps) -> bool:
    """Whether there is anything at a path; null is something."""
    return _dig(value, path) is not _NOTHING


def shown(path: Steps) -> str:
    """A path as an error shows it."""
    return ".".join(map(str, path)).replace(".[", "[")


def record_id_at(value: object, path: Steps) -> str:
    """The record's id at a path, as text. Raises Unreadable where it is not an id."""
    found = dig(value, path)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Unreadable(f"what the answer has at {shown(path)} is not a record id")
    text = str(found)
    if DAMAGED in text:
        raise Unreadable(f"what the answer has at {shown(path)} cannot be read in its charset")
    if len(text) > _LONGEST_ID:
        raise Unreadable(f"the record id is longer than {_LONGEST_ID} characters")
    return text


def as_text(value: object) -> str | None:
    """What a plain value reads as; None for null, lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


_NOTHING = object()


def _step(text: str) -> Step:
    if not text.startswith("["):
        return text
    key, _, wanted = text[1:-1].partition("=")
    return Select(key, wanted)


def _dig(value: object, path: Steps) -> object:
    for step in path:
        if isinstance(step, Select):
            value = _selected(value, step)
        elif isinstance(value, dict):
            value = value.get(step, _NOTHING)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def _selected(value: object, wanted: Select) -> object:
    items = value if isinstance(value, list) else []
    for item in items:
        if isinstance(item, dict) and as_text(item.get(wanted.key)) == wanted.text:
            return item
    return _NOTHING
