"""A workflow's runbook: what a person does when events are stopped, as an address or as text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from orchestrator.domain.documents.model_faults import wrong

LONGEST_RUNBOOK = 2_000
"""Characters."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_FIX = "write an address such as https://wiki.acme.example/leads, or the steps as text"


def checked_runbook(text: str) -> str:
    """The runbook, if it is an address that a browser may open, or text.

    Raises PydanticCustomError for other schemes, an address with a login, and an empty text.

    >>> checked_runbook("https://wiki.acme.example/leads")
    'https://wiki.acme.example/leads'
    """
    text = text.strip()
    if not text:
        raise wrong("runbook", "it is empty", _FIX)
    if not all(char.isprintable() or char in "\n\t" for char in text):
        raise wrong("runbook", "it holds characters that cannot be printed", _FIX)
    if not _ADDRESS.fullmatch(text):
        return text
    if runbook_address(text) is None:
        raise wrong("runbook", f"{text[:80]!r} is not an http or https address", _FIX)
    if "@" in urlsplit(text).netloc:
        fix = "take the login out: everybody who is alerted reads it"
        raise wrong("runbook", "the address holds a login", fix)
    return text


def runbook_address(text: str) -> str | None:
    """The runbook as an address that may be a link; None if it is text.

    >>> runbook_address("javascript:alert(1)") is None
    True
    """
    if not _ADDRESS.fullmatch(text) or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
        known = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return text if known else None
