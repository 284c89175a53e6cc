"""What an HTTP answer means: its status by the table below, its values by path.

| status | after a create | after a look-up or a read |
|---|---|---|
| 2xx | stored | the answer |
| 303 | unknown: the usual answer of a form that has stored | refused |
| other 3xx | refused: a redirect is never followed | refused |
| 401, 403 | refused, unauthorized | refused, unauthorized |
| 408, 425 | nothing stored: the request was not taken up | come again |
| 429 | nothing stored, come back after Retry-After | the same |
| other 4xx | refused | refused; 404 and 410 may say "not there" |
| 503 | nothing stored, come back after Retry-After | the same |
| other 5xx | unknown: it may have failed after storing | come again |
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

import orjson

from connectors.exchange import Answer
from connectors.references import masked
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
)

_EXCERPT = 200  # characters of an answer that an error quotes
_LONGEST_WAIT = 86_400.0
_LONGEST_ID = 500
_NOT_TAKEN_UP = frozenset({408, 425})


class Unreadable(ValueError):
    """Raised when an answer lacks what its definition says it has."""


class NotJson(Unreadable):
    """Raised when an answer is not JSON: a page of a proxy, or a body that was cut."""


def error_of(
    who: str, answer: Answer, *, creating: bool, secrets: Iterable[str] = ()
) -> ConnectorError:
    """The error that an answer other than 2xx stands for; the table above."""
    status = answer.status
    text = f"{who} answered {status}{_excerpt(answer.body, secrets)}"
    if status in (401, 403):
        return DestinationRefused(f"{text} (unauthorized: check the connector's auth)")
    if 300 <= status < 400:
        text = f"{who} answered {status}, a redirect; redirects are not followed"
        return OutcomeUnknown(text) if creating and status == 303 else DestinationRefused(text)
    if status in (429, 503):
        wait = retry_after(answer.headers.get("Retry-After"))
        if status == 429 or wait is not None:
            return RateLimited(text, retry_after=wait)
        return DestinationUnavailable(text)
    if status in _NOT_TAKEN_UP:
        return DestinationUnavailable(text)
    if 400 <= status < 500:
        return DestinationRefused(text)
    return OutcomeUnknown(text) if creating else DestinationUnavailable(text)


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, at most a day; None where it says nothing."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT)


def parse(answer: Answer) -> object:
    """The JSON value of an answer. Raises NotJson."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise NotJson(f"answered {answer.status} with something that is not JSON") from None


Steps = tuple[str, ...]


def steps(path: str) -> Steps:
    """A path in an answer: dotted, or a JSON Pointer where it starts with "/"; "" is the whole."""
    if path.startswith("/"):
        names = path[1:].split("/")
        return tuple(name.replace("~1", "/").replace("~0", "~") for name in names)
    return tuple(path.split(".")) if path else ()


_NOTHING = object()


def dig(value: object, path: Steps) -> object:
    """The value at a path. Raises Unreadable where there is none."""
    found = _dig(value, path)
    if found is _NOTHING:
        raise Unreadable(f"the answer has nothing at {'.'.join(path)}")
    return found


def has(value: object, path: Steps) -> bool:
    """Whether there is anything at a path; null is something."""
    return _dig(value, path) is not _NOTHING


def record_id_at(value: object, path: Steps) -> str:
    """The record's id at a path, as text. Raises Unreadable where it is not an id."""
    found = dig(value, path)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Unreadable(f"what the answer has at {'.'.join(path)} is no record id")
    text = str(found)
    if len(text) > _LONGEST_ID:
        raise Unreadable(f"the record id is longer than {_LONGEST_ID} characters")
    return text


def _dig(value: object, path: Steps) -> object:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step, _NOTHING)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def _excerpt(body: bytes, secrets: Iterable[str]) -> str:
    """The answer's first words on one line, masked before they are cut."""
    text = " ".join(masked(body.decode(errors="replace"), secrets).split())
    if not text:
        return ""
    return f": {text[:_EXCERPT]}…" if len(text) > _EXCERPT else f": {text}"
