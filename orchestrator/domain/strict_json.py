"""JSON as the standard means it: what a lenient parser would guess at is refused here.

No NaN, no doubled key, no number that would change, no broken Unicode, no bottomless nesting.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import NoReturn

import orjson

from orchestrator.domain.errors import InvalidJson

_OPENING, _CLOSING, _DIGITS = ("{", "["), ("}", "]"), tuple("0123456789")
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1

_WORD = re.compile(
    r'"(?:[^"\\]|\\.)*"|[{}\[\]:]|-?(?:Infinity|NaN)|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL
)
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def loads(raw: bytes | str, *, max_depth: int = 64, field: str = "body") -> object:
    """The value of a JSON document.

    Raises InvalidJson that says what is wrong, where, and what to send instead; `field` is how the
    error calls the document.
    """
    value = _round_trip(raw)
    if value is _NO_ROUND_TRIP:
        value = _parse(_decode(raw, field), field, max_depth)
    if _brackets(raw) > max_depth and _is_deeper(value, max_depth):
        raise _too_deep(_decode(raw, field), max_depth, field)
    return value


def dumps(value: object) -> str:
    """The JSON document of a value, compact, keys in the order given."""
    return orjson.dumps(value).decode()


def digest(value: object) -> str:
    """32 hex digits that are the same for the same content, whatever the order of its keys."""
    content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


_NO_ROUND_TRIP = object()


def _round_trip(raw: bytes | str) -> object:
    """The value where writing it again gives the same bytes: then nothing was lost in reading.

    A doubled key, a rounded number or an Infinity does not survive that, so the strict reading,
    which is several times slower, is left to bodies that are not compact.
    """
    try:
        value = orjson.loads(raw)
        same = orjson.dumps(value) == (raw.encode() if isinstance(raw, str) else raw)
    except (ValueError, TypeError):
        return _NO_ROUND_TRIP
    return value if same else _NO_ROUND_TRIP


def _decode(raw: bytes | str, field: str) -> str:
    try:
        return raw.decode() if isinstance(raw, bytes) else raw.encode().decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(
            f"byte {error.start} (0x{error.object[error.start]:02x}) is not UTF-8",
            field=field,
            fix="encode the document as UTF-8",
        ) from None
    except UnicodeEncodeError as error:
        raise InvalidJson(
            f"character {error.start} is half of a surrogate pair",
            field=field,
            fix="send whole Unicode characters",
        ) from None


class _NotStrict(ValueError):
    """Raised by the hooks; `_first_fault` then finds the words and the place."""


def _parse(text: str, field: str, max_depth: int) -> object:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
        orjson.dumps(value)  # refuses half surrogates, which json.loads lets through
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"{_lower(error.msg)} at line {error.lineno}, column {error.colno}",
            field=field,
            fix=_syntax_fix(text, error),
        ) from None
    except RecursionError:
        raise _too_deep(text, max_depth, field) from None
    except (ValueError, TypeError):
        # Deep and otherwise wrong: the depth is told first where it comes first.
        raise _first_fault(text, max_depth, field) from None
    return value


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _syntax_fix(text: str, error: json.JSONDecodeError) -> str:
    if text.startswith("\ufeff"):
        return "send it without a byte order mark"
    if not text.strip():
        return "send a JSON document; this one is empty"
    if text[error.pos : error.pos + 1] == "'":
        return "write strings in double quotes"
    return "send one well-formed JSON document"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotStrict
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or not SMALLEST_INTEGER <= (value := int(text)) <= LARGEST_INTEGER:
        raise _NotStrict
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise _NotStrict
    return value


def _constant(_text: str) -> NoReturn:
    raise _NotStrict


def _first_fault(text: str, max_depth: int, field: str) -> InvalidJson:
    """The first place where a well-formed text is not strict, in words."""
    keys_at: list[set[str]] = []  # of the objects that are open; an array has an empty set
    words = list(_words(text))
    for (word, start), (following, _) in zip(words, [*words[1:], ("", 0)], strict=True):
        fault = _word_fault(word)
        if word in _OPENING:
            keys_at.append(set())
            if len(keys_at) > max_depth:
                return _too_deep(text, max_depth, field)
        elif word in _CLOSING:
            keys_at.pop()
        elif following == ":":
            key = json.loads(word)
            fault = fault or _doubled(key, keys_at[-1])
            keys_at[-1].add(key)
        if fault:
            return InvalidJson(f"{fault[0]} at {_place(text, start)}", field=field, fix=fault[1])
    return InvalidJson("it is not strict JSON", field=field, fix="send one well-formed document")


def _words(text: str) -> Iterator[tuple[str, int]]:
    for match in _WORD.finditer(text):
        yield match.group(), match.start()


def _word_fault(word: str) -> tuple[str, str] | None:
    """What is wrong with one word, and what to send instead."""
    if word.startswith('"'):
        return _surrogate_fault(word)
    if word.endswith(("NaN", "Infinity")):
        return f"{word} is not JSON", "send null, or leave the field out"
    if word.startswith(("-", *_DIGITS)):
        return _number_fault(word)
    return None


def _number_fault(word: str) -> tuple[str, str] | None:
    shown = word if len(word) <= 40 else f"{word[:37]}..."
    if word.lstrip("-").isdigit():
        if len(word) > 20 or not SMALLEST_INTEGER <= int(word) <= LARGEST_INTEGER:
            return f"the integer {shown} does not fit into 64 bits", "send it as a string"
    elif float(word) in {float("inf"), float("-inf")}:
        return f"the number {shown} does not fit into a double", "send it as a string"
    return None


def _surrogate_fault(word: str) -> tuple[str, str] | None:
    for match in _ESCAPE.finditer(word):
        if lone := match["lone"]:
            return f"{lone} is half of a surrogate pair", "send whole Unicode characters"
    return None


def _doubled(key: str, keys: set[str]) -> tuple[str, str] | None:
    if key not in keys:
        return None
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    return f"the key {json.dumps(shown)} comes twice in one object", "send each key once"


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return f"line {line}, column {column}"


def _brackets(raw: bytes | str) -> int:
    if isinstance(raw, str):
        return raw.count("[") + raw.count("{")
    return raw.count(b"[") + raw.count(b"{")


def _is_deeper(value: object, depth: int) -> bool:
    """Whether arrays and objects nest deeper than `depth`; looked at level by level."""
    level = [value] if isinstance(value, dict | list) else []
    while level and depth >= 0:
        depth -= 1
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [each for some in inner for each in some if isinstance(each, dict | list)]
    return depth < 0


def _too_deep(text: str, max_depth: int, field: str) -> InvalidJson:
    depth, place = 0, ""
    for word, start in _words(text):
        depth += (word in _OPENING) - (word in _CLOSING)
        if depth > max_depth:
            place = f" at {_place(text, start)}"
            break
    return InvalidJson(
        f"it nests deeper than {max_depth} levels{place}", field=field, fix="send flatter data"
    )
