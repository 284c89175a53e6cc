"""Short texts that are made of a request: an event's type, and its idempotency key.

`github.{header.X-GitHub-Event}[.{body.action}]`: what is in brackets is left out where a part of
it is missing; where another part is missing there is no text at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.sources.request import HookRequest

_MARK = re.compile(r"\{(header\.[A-Za-z0-9-]{1,100}|body\.[^{}\[\]\s]{1,300}|digest)\}|\[|\]")
_LONGEST_PART = 400  # characters


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str  # as it is, or the name of what is put in
    put_in: bool


_Group = tuple[bool, tuple[_Piece, ...]]  # whether it may be missing, and what it is of


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with places; build it with `wording`."""

    groups: tuple[_Group, ...]

    def of(self, request: HookRequest, payload: object, digest: str) -> str | None:
        """The text for one payload of a request; None where a part that it needs is missing."""
        whole = []
        for optional, pieces in self.groups:
            texts = [
                value_at(one.text, request, payload, digest) if one.put_in else one.text
                for one in pieces
            ]
            present = [one for one in texts if one is not None]
            if len(present) == len(texts):
                whole += present
            elif not optional:
                return None
        return "".join(whole)


def wording(text: str) -> Wording:
    """The text with its places. Raises ValueError that says what is wrong.

    >>> wording("shop[.{body.kind}]").of(None, {"kind": "sale"}, "")
    'shop.sale'
    """
    return Wording(tuple(_groups(text)))


def _groups(text: str) -> Iterator[_Group]:
    optional, pieces, end = False, [], 0
    for match in _MARK.finditer(text):
        pieces += _plain(text[end : match.start()])
        end = match.end()
        if match[1]:
            pieces.append(_Piece(match[1], put_in=True))
        elif (match[0] == "[") == optional:
            raise ValueError("its brackets do not fit together")
        else:
            yield optional, tuple(pieces)
            optional, pieces = not optional, []
    if optional:
        raise ValueError("its brackets do not fit together")
    yield False, (*pieces, *_plain(text[end:]))


def _plain(text: str) -> list[_Piece]:
    if "{" in text or "}" in text:
        raise ValueError("it has a place that is neither {header.NAME}, {body.PATH} nor {digest}")
    return [_Piece(text, put_in=False)] if text else []


def value_at(name: str, request: HookRequest, payload: object, digest: str) -> str | None:
    """The value of a place as a text; None where there is none."""
    kind, _, rest = name.partition(".")
    if kind == "digest":
        return digest
    value = request.header(rest) if kind == "header" else _dig(payload, rest)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    text = str(value)
    return text if len(text) <= _LONGEST_PART and text.isprintable() else None


def _dig(value: object, path: str) -> object:
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
