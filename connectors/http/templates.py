"""Templates of requests, filled by structure: a value can never become a part of the syntax.

A text that is one placeholder gives the value as it is (`{send.amount}` stays a number); inside
other text it gives the value's text. `{key}` is the idempotency key, `{key_uuid}` a UUID made of
it, `{record_id}` the record's id, `{version}` the state of the record that was seen last,
`{send.NAME}` one field, `{send}` all of them, `{secret.NAME}` a secret that the definition names;
`{{` and `}}` are braces. Filters follow a name: `{send.email|lower|md5}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import quote

from connectors.http.placeholders.values import (
    ABSENT,
    Fill,
    InvalidTemplate,
    Unfillable,
    Values,
    placeholder,
    text_of,
)

_PLACEHOLDER = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])")
_KEYS = frozenset({"key", "key_uuid"})
_SEGMENT_SAFE = "!$&'()*+,;=:@~"  # allowed by RFC 3986 in a path segment without encoding


@dataclass(frozen=True, kw_only=True)
class Template:
    """One compiled template; `names` are its placeholders, as written."""

    fill: Fill
    names: frozenset[str]


def names_key(names: AbstractSet[str]) -> bool:
    """Whether the delivery's own key is among placeholders."""
    return not names.isdisjoint(_KEYS)


def compile_template(source: object) -> Template:
    """Compile any JSON value. Raises InvalidTemplate."""
    names: set[str] = set()
    return Template(fill=_compile(source, names), names=frozenset(names))


def compile_text(source: str) -> Template:
    """Compile a text that stays text: a header or a query value. Raises InvalidTemplate."""
    names: set[str] = set()
    fill = _joined(_parts(source, names))
    return Template(fill=fill, names=frozenset(names))


def compile_path(source: str) -> Template:
    """Compile a URL path; each value becomes one percent-encoded segment or a part of one.

    "" stays empty. Raises InvalidTemplate for anything else that is not a plain absolute path.
    """
    if not source:
        return Template(fill=lambda _: "", names=frozenset())
    if not source.startswith("/") or source.startswith("//"):
        raise InvalidTemplate('write a path that starts with one "/"')
    if "?" in source or "#" in source or "\\" in source:
        raise InvalidTemplate('write only the path; what follows a "?" goes under `query`')
    names: set[str] = set()
    segments = [_segment(segment, names) for segment in source.split("/")[1:]]
    return Template(
        fill=lambda values: "".join(["/" + fill(values) for fill in segments]),
        names=frozenset(names),
    )


def _compile(node: object, names: set[str]) -> Fill:
    if isinstance(node, str):
        return _value(node, names)
    if isinstance(node, dict):
        return _object({str(key): _compile(value, names) for key, value in node.items()})
    if isinstance(node, list):
        return _array([_compile(item, names) for item in node])
    return lambda _: node


def _object(members: dict[str, Fill]) -> Fill:
    pairs = tuple(members.items())

    def fill(values: Values) -> object:
        filled = {name: value for name, one in pairs if (value := one(values)) is not ABSENT}
        return filled if filled or not pairs else ABSENT

    return fill


def _array(items: list[Fill]) -> Fill:
    return lambda values: [value for fill in items if (value := fill(values)) is not ABSENT]


def _value(source: str, names: set[str]) -> Fill:
    parts = _parts(source, names, alone=True)
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0].fill
    return _joined(parts)


@dataclass(frozen=True, kw_only=True)
class _Placeholder:
    name: str
    fill: Fill


def _parts(source: str, names: set[str], *, alone: bool = False) -> list[str | _Placeholder]:
    """Literal texts and placeholders in order; `{send}` only where it is `alone`."""
    parts: list[str | _Placeholder] = []
    literal, end = "", 0
    for match in _PLACEHOLDER.finditer(source):
        literal += source[end : match.start()]
        end = match.end()
        brace, name, stray = match.groups()
        if stray:
            raise InvalidTemplate(f'it has a single "{stray}"; write "{stray * 2}"')
        if brace:
            literal += brace[0]
            continue
        if name in ("send", "items") and not (alone and match.group() == source):
            raise InvalidTemplate(f"{{{name}}} is not text and is alone in a JSON value")
        if literal:
            parts.append(literal)
        base, fill = placeholder(name)
        names.add(base)
        parts.append(_Placeholder(name=base, fill=fill))
        literal = ""
    literal += source[end:]
    if literal or not parts:
        parts.append(literal)
    return parts


def _joined(parts: list[str | _Placeholder]) -> Fill:
    if len(parts) == 1 and isinstance(parts[0], str):
        only = parts[0]
        return lambda _: only

    def fill(values: Values) -> object:
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
                continue
            value = part.fill(values)
            if value is ABSENT:
                return ABSENT
            text += text_of(part.name, value)
        return text

    return fill


def _segment(source: str, names: set[str]) -> Callable[[Values], str]:
    parts = _parts(source, names)
    if all(isinstance(part, str) for part in parts):
        literal = quote("".join(map(str, parts)), safe=_SEGMENT_SAFE)
        if literal in (".", ".."):
            raise InvalidTemplate(f'"{literal}" is not a segment of a path; write the path in full')
        return lambda _: literal

    def fill(values: Values) -> str:
        segment = ""
        for part in parts:
            if isinstance(part, str):
                segment += quote(part, safe=_SEGMENT_SAFE)
                continue
            value = part.fill(values)
            text = "" if value is ABSENT else text_of(part.name, value)
            if not text:
                raise Unfillable(f"{part.name} is empty and is part of a path")
            segment += quote(text, safe="")
        if segment in (".", ".."):
            raise Unfillable(f'"{segment}" would change the path')
        return segment

    return fill
