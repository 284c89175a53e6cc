"""Signed links of alerts: each opens the page of one incident, without the login, for a while."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qsl, urlsplit

from orchestrator.domain.text.links import opens

_PAGE = re.compile(r"/incidents/([0-9]{1,18})")
_READS = {"GET", "HEAD"}


def opened_incident(method: str | None, uri: str | None, key: str) -> str | None:
    """The number of the incident whose page a request opens by the signed link of an alert."""
    if method not in _READS or not key:
        return None
    try:
        asked = urlsplit(uri or "")
    except ValueError:
        return None
    page = _PAGE.fullmatch(asked.path)
    given = dict(parse_qsl(asked.query))
    return page[1] if page and opens(asked.path, given, now=time.time(), key=key) else None
