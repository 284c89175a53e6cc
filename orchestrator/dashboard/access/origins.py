"""Whether a request that changes something was sent by a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def is_from_here(headers: Mapping[str, str], *, host: str, own: str) -> bool:
    """Whether a page of this origin sent the request.

    `host` is what the request was sent to, `own` the origin by which people reach the pages: behind
    a proxy these may differ. A request with neither header is not from here: browsers send one.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("Origin", "")
    return bool(origin) and (origin == own or _netloc(origin) == host)


def origin_of(url: str) -> str:
    """The origin of an address, as browsers write it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    known = {"http": 80, "https": 443}.get(parts.scheme)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != known else "")


def _netloc(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") else None
