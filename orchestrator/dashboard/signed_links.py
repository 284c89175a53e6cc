"""Signed links of alerts: each opens one page, without the login, for a while; none decides."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from orchestrator.domain.text.links import opens

_PAGE = re.compile("/(incidents)/([0-9]{1,18})|/(changes)/([0-9a-f]{1,32})")
_READS = {"GET", "HEAD"}


class Linked(StrEnum):
    """What a link may open, by the first word of its page's address."""

    INCIDENT = "incidents"
    CHANGE = "changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The page that a request opens."""

    what: Linked
    name: str  # the number of an incident, or the token of a change


def opened_page(method: str | None, uri: str | None, key: str) -> Opened | None:
    """The page that a request opens by the signed link of an alert; None where there is none."""
    if method not in _READS or not key:
        return None
    try:
        asked = urlsplit(uri or "")
    except ValueError:
        return None
    page = _PAGE.fullmatch(asked.path)
    given = dict(parse_qsl(asked.query))
    if page is None or not opens(asked.path, given, now=time.time(), key=key):
        return None
    what, name = (one for one in page.groups() if one is not None)
    return Opened(what=Linked(what), name=name)
