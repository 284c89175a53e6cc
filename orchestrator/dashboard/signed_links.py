"""Signed links of alerts: each opens the page of one incident, without the login, for a while."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qsl, urlsplit

from orchestrator.domain.links import opens

_PAGE = re.compile(r"/incidents/[0-9]{1,18}")
_STATIC = ("/static/", "/events/static/")  # styles and scripts; the same for all pages


def may_open(method: str | None, uri: str | None, referer: str | None, key: str) -> bool:
    """Whether a request follows the signed link of an alert, or shows what its page is made of.

    A page's styles are asked for by the page, whose whole address the browser then names.
    """
    if method != "GET" or not key:
        return False
    try:
        asked = urlsplit(uri or "")
        if asked.path.startswith(_STATIC) and ".." not in asked.path:
            asked = urlsplit(referer or "")
    except ValueError:
        return False
    page = _PAGE.fullmatch(asked.path)
    return page is not None and opens(
        asked.path, dict(parse_qsl(asked.query)), now=time.time(), key=key
    )
