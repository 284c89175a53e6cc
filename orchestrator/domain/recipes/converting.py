"""One JSON value as another type: exactly, or not at all."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime

from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.strict_json import LARGEST_INTEGER, SMALLEST_INTEGER

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MILLISECONDS = 100_000_000_000  # from here on: as seconds it would be past the year 5000


def convert(value: object, kind: str, form: str | None = None) -> object:
    """The value as integer, number, string, boolean, date or date-time.

    `form` is how a date is written, such as `%d.%m.%Y`; without one it must be ISO 8601. Raises
    ValueError with a sentence where the value would change, or would have to be guessed.
    """
    match kind:
        case "integer" | "number":
            return _number(value, whole=kind == "integer")
        case "string":
            return _string(value)
        case "boolean":
            return _boolean(value)
        case "date":
            return _date(value, form)
        case _:
            return _moment(value)


def _number(value: object, *, whole: bool) -> object:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        value = int(text) if _INTEGER.fullmatch(text) else float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"it is not a {'whole number' if whole else 'number'}")  # noqa: TRY004 - data
    if whole and isinstance(value, float):
        if not value.is_integer():
            raise ValueError("it is not a whole number")
        value = int(value)
    return _in_range(value)


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
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day
            day, _, rest = text.partition("T")
            if rest:
                datetime.fromisoformat(text)
            return date.fromisoformat(day).isoformat()
        except ValueError:
            pass
    raise ValueError(f"it is not a date written {form or 'as ISO 8601'}")


def _moment(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        scale = 1000 if value >= _MILLISECONDS else 1
        try:
            return datetime.fromtimestamp(value / scale, UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError, OSError):
            raise ValueError("it is past the calendar") from None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("it is not a time written as ISO 8601") from None
        if moment.tzinfo is None:
            raise ValueError("it has no offset from UTC")
        return moment.isoformat().replace("+00:00", "Z")
    raise ValueError("it is neither a time nor seconds since 1970")
