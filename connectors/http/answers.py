"""What an HTTP answer means: by the definition's rules first, then its status by this table.

| status | after a create | after a look-up or a read |
|---|---|---|
| 2xx | stored; unknown, where the definition says otherwise what is good | the answer; come again |
| 303 | unknown: the usual answer of a form that has stored | refused |
| other 3xx | refused: a redirect is never followed | refused |
| 401 | unauthorized | unauthorized |
| 408, 425 | nothing stored: the request was not taken up | come again |
| 429 | nothing stored, come back after Retry-After, or after a pause that grows | the same |
| other 4xx | refused | refused; 404 and 410 may say "not there" |
| 503 | nothing stored, come back after Retry-After; without a usable one it is down | the same |
| other 5xx | unknown: it may have failed after storing | come again |
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

from connectors.definition.paths import Unreadable
from connectors.http.definition import Means
from connectors.http.error_rules import Verdict
from connectors.http.wire.exchange import Answer
from connectors.http.wire.reading import document_of, text_of
from orchestrator.domain.delivery.retries import usable_wait
from orchestrator.domain.errors import (
    AlreadyThere,
    ChangedMeanwhile,
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)
from orchestrator.domain.text.masking import masked

CHANGED = "somebody changed the record since it was looked at"
_EXCERPT = 200  # characters of an answer that an error quotes
_NOT_TAKEN_UP = frozenset({408, 425})


class NotJson(Unreadable):
    """Raised when an answer is not JSON: a page of a proxy, or a body that was cut."""


def error_of(
    who: str, answer: Answer, *, creating: bool, secrets: Iterable[str] = ()
) -> ConnectorError:
    """The error that an answer stands for which is not a good one; the table above."""
    status = answer.status
    text = f"{who} answered {status}{_excerpt(answer, secrets)}"
    if answer.ok:
        text = f"{text} (by its definition this is not a good answer)"
        return OutcomeUnknown(text) if creating else DestinationUnavailable(text)
    if status == 401:
        return Unauthorized(f"{text} (unauthorized: check the connector's auth)")
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


def error_by(
    verdict: Verdict, who: str, answer: Answer, *, creating: bool, secrets: Iterable[str] = ()
) -> ConnectorError:
    """The error that a definition's rule makes of an answer."""
    text = f"{who} answered {answer.status}{_excerpt(answer, secrets)}"
    match verdict.means:
        case Means.UNAVAILABLE:
            return DestinationUnavailable(text)
        case Means.RATE_LIMITED:
            wait = verdict.retry_after
            header = retry_after(answer.headers.get("Retry-After"))
            return RateLimited(text, retry_after=header if wait is None else wait)
        case Means.UNAUTHORIZED:
            return Unauthorized(f"{text} (unauthorized: check the connector's auth)")
        case Means.UNKNOWN:
            return OutcomeUnknown(text) if creating else DestinationUnavailable(text)
        case Means.CHANGED:
            return ChangedMeanwhile(f"{text} ({CHANGED})")
        case Means.CONFLICT:
            return AlreadyThere(text, record_id=verdict.record_id)
        case _:
            return DestinationRefused(text)


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for; None where that is not a usable time.

    Zero, a time in the past, more than a day and what cannot be read are not usable times.
    """
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return usable_wait(float(text))
    try:
        wait = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return usable_wait(wait)


_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")  # some tools name fractions


def parse(answer: Answer, needed: str = "") -> object:
    """The JSON value of an answer, of which `needed` is needed. Raises NotJson."""
    try:
        return document_of(answer)
    except ValueError:
        lacks = f", and {needed} is needed of it" if needed else ""
        text = f"answered {answer.status} with something that is not JSON{lacks}"
        raise NotJson(text) from None


def _excerpt(answer: Answer, secrets: Iterable[str]) -> str:
    """The answer's first words on one line, masked before they are cut."""
    text = " ".join(masked(text_of(answer), secrets).split())
    if not text:
        return ""
    return f": {text[:_EXCERPT]}…" if len(text) > _EXCERPT else f": {text}"
