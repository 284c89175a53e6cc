"""Links that open one page for a while: signed, so that nobody can make one up."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def signed(path: str, *, until: int, key: str) -> str:
    """The path of a page with a signature that is good until then, in seconds since 1970."""
    return f"{path}?until={until}&signature={_signature(path, until, key)}"


def opens(path: str, query: Mapping[str, str], *, now: float, key: str) -> bool:
    """Whether a request for `path` with these arguments bears a signature that is still good."""
    until = query.get("until", "")
    if not (until.isascii() and until.isdigit() and len(until) < 12 and int(until) > now):
        return False
    given = query.get("signature", "").encode()
    return hmac.compare_digest(given, _signature(path, int(until), key).encode())


def _signature(path: str, until: int, key: str) -> str:
    return hmac.new(key.encode(), f"{until}\n{path}".encode(), hashlib.sha256).hexdigest()
