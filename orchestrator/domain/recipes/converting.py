"""One JSON value as another type: exactly, or not at all."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.strict_json import LARGEST_INTEGER, SMALLEST_INTEGER
from orchestrator.domain.recipes.lists import as_list, as_object
from orchestrator.domain.recipes.time_formats import read_time
from orchestrator.domain.recipes.times import as_moment

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ALIKE = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}  # what else is written between thousands


@dataclass(frozen=True, kw_only=True)
class Written:
    """How a text is written, where that is not the usual way."""

    format: str | None = None  # of a date, such as `%d.%m.%Y`; else it must be ISO 8601
    zone: str | None = None  # of the clock of a time without an offset
    decimal: str | None = None  # before a number's fraction; else a point
    group: str | None = None  # between its thousands; else there is nothing


_USUAL = Written()


def convert(value: object, kind: str, written: Written = _USUAL) -> object:
    """The value as one of the types that `convert` names.

    Raises ValueError with a sentence where the value would change, or would have to be guessed.
    """
    match kind:
        case "integer" | "number":
            return _number(_plain(value, written), whole=kind == "integer")
        case "string":
            return _string(value)
        case "boolean":
            return _boolean(value)
        case "date":
            return _date(value, written.format)
        case "array":
            return as_list(value)
        case "object":
            return as_object(value)
    return as_moment(value, written.format, written.zone)


def _plain(value: object, written: Written) -> object:
    """A number's text with a point before its fraction and nothing between its thousands."""
    if not isinstance(value, str) or (written.decimal is None and written.group is None):
        return value
    whole = "[0-9]+"
    if written.group is not None:
        between = f"[{re.escape(_ALIKE.get(written.group, written.group))}]"
        whole = rf"[0-9]{{1,3}}(?:{between}[0-9]{{3}})+|[0-9]+"
    point = re.escape(written.decimal or ".")
    match = re.fullmatch(rf"([+-]?)({whole})(?:{point}([0-9]+))?", value.strip())
    if match is None:
        raise ValueError("it is not a number written so")
    digits = re.sub("[^0-9]", "", match[2])
    return f"{match[1]}{digits}" + (f".{match[3]}" if match[3] else "")


def _number(value: object, *, whole: bool) -> object:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        value = int(text) if _INTEGER.fullmatch(text) else _exact(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"it is not a {'whole number' if whole else 'number'}")  # noqa: TRY004 - data
    if whole and isinstance(value, float):
        if not value.is_integer():
            raise ValueError("it is not a whole number")
        value = int(value)
    return _in_range(value)


def _exact(text: str) -> float:
    found = float(text)
    if math.isfinite(found) and Decimal(repr(found)) != Decimal(text):
        raise ValueError("it has more digits than a number keeps")
    return found


def _in_range(value: float) -> float:
    if not math.isfinite(value) or (
        isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER
    ):
        raise ValueError("it is past the numbers of JSON")
    return value


def _string(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return strict_json.dumps(value)
    raise ValueError("it is not a single value")


def _boolean(value: object) -> object:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in _WORDS:
        raise ValueError("it is none of true, false, yes, no, 1 and 0")
    return _WORDS[word]


def _date(value: object, form: str | None) -> object:
    if isinstance(value, str):
        text = value.strip()
        try:
            if form:
                return read_time(text, form).date().isoformat()
            day, _, rest = text.partition("T")
            if rest:
                datetime.fromisoformat(text)
            return date.fromisoformat(day).isoformat()
        except ValueError:
            pass
    raise ValueError(f"it is not a date written {form or 'as ISO 8601'}")
