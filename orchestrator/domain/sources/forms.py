"""Forms as browsers send them: fields of two encodings, and names that nest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from orchestrator.domain.errors import InvalidJson, InvalidTrigger, PayloadTooLarge
from orchestrator.domain.text.abbreviate import shorten

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

Fields = list[tuple[str, str]]
"""Names and values, in the form's order."""

_BOUNDARY = re.compile(r"""boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(name|filename)\*?="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")
_PART_HEAD = 8_192  # bytes


def urlencoded_fields(raw: bytes, *, most: int) -> Fields:
    """The fields of a form as it is usually encoded. Raises InvalidJson, PayloadTooLarge."""
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=most, errors="strict")
    except UnicodeDecodeError:
        raise _not_utf8() from None
    except ValueError:
        raise _too_many(most) from None


def multipart_fields(raw: bytes, content_type: str, *, most: int) -> Fields:
    """The fields of a multipart form.

    Raises InvalidJson, PayloadTooLarge, and InvalidTrigger for a file.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _broken("it does not say its boundary")
    mark = b"--" + (found[1] or found[2]).encode()
    pieces = (b"\r\n" + raw).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _broken("its last boundary is missing")
    if len(pieces) - 2 > most:
        raise _too_many(most)
    return [field for piece in pieces[1:-1] if (field := _field(piece)) is not None]


def _field(piece: bytes) -> tuple[str, str] | None:
    """One part; None for a file that nobody chose."""
    head, blank, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not blank or len(head) > _PART_HEAD:
        raise _broken("a part of it has no head")
    try:
        said = dict(_parameters(head.decode()))
        if "name" not in said:
            raise _broken("a part of it has no name")
        if "filename" in said:
            if said["filename"] or content:
                fix = "upload it elsewhere, and send its address in a field"
                raise _wrong(said["name"], "a file is not taken", fix)
            return None
        return said["name"], content.decode()
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _parameters(head: str) -> Iterator[tuple[str, str]]:
    for line in head.split("\r\n"):
        if line.lower().startswith("content-disposition:"):
            for name, value in _PARAMETER.findall(line):
                yield name.lower(), re.sub(r"\\(.)", r"\1", value).replace("%22", '"')


def nested(fields: Iterable[tuple[str, str]], *, depth: int) -> dict[str, object]:
    """The payload of a form: `a[b]` is a field of `a`, `a[]` one of its entries.

    Several values of one plain name are a list. Raises InvalidTrigger.

    >>> nested([("a[b]", "1"), ("a[c][]", "2"), ("a[c][]", "3")], depth=9)
    {'a': {'b': '1', 'c': ['2', '3']}}
    """
    payload: dict[str, object] = {}
    for name, value in fields:
        match = _NAME.fullmatch(name)
        if match is None:
            raise _wrong(name, "it is not the name of a field", "write name, name[part] or name[]")
        steps = [match[1], *_STEP.findall(match[2])]
        if "" in steps[:-1]:
            raise _wrong(name, "[] is not at its end", "give each entry a number: name[0][part]")
        if len(steps) > depth:
            raise _wrong(name, f"it nests deeper than {depth} levels", "send it flatter")
        _put(payload, steps, value, name)
    return payload


def _put(place: dict[str, object], steps: list[str], value: str, name: str) -> None:
    appends = len(steps) > 1 and not steps[-1]
    way = steps[:-1] if appends else steps
    for step in way[:-1]:
        inner = place.setdefault(step, {})
        if not isinstance(inner, dict):
            raise _both(name)
        place = inner
    last = way[-1]
    there = place.get(last)
    if isinstance(there, dict):
        raise _both(name)
    if appends or there is not None:
        place[last] = [*_listed(there), value]
    else:
        place[last] = value


def _listed(there: object) -> list[object]:
    if there is None:
        return []
    return there if isinstance(there, list) else [there]


def _both(name: str) -> InvalidTrigger:
    return _wrong(name, "it is a value and has parts, both", "give one of them another name")


def _wrong(name: str, problem: str, fix: str) -> InvalidTrigger:
    return InvalidTrigger(problem, field=shorten(name), fix=fix)


def _broken(problem: str) -> InvalidJson:
    return InvalidJson(f"the form cannot be read: {problem}", field="body", fix="send it whole")


def _not_utf8() -> InvalidJson:
    return InvalidJson("the form is not UTF-8", field="body", fix="encode the form as UTF-8")


def _too_many(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the form has more than {most} fields", field="body", fix="send fewer")
