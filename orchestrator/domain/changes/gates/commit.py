"""The commit that a proposal comes from, as a pipeline says it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from orchestrator.domain.changes.gates.evidence import Commit
from orchestrator.domain.errors import Refused

_ID = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_LONGEST_URL = 500


def commit_of(
    number: str | None, url: str | None, *, file_digest: str | None = None
) -> Commit | None:
    """The commit; None where none is named. Raises Refused for what cannot be one.

    >>> commit_of("4adfa9d", None)
    Commit(id='4adfa9d', url=None, file_digest=None)
    """
    if number is None:
        if url is None:
            return None
        raise Refused("an address without a commit", field="url", fix="name the commit too")
    if not _ID.fullmatch(number.lower()):
        raise Refused(
            f"{number[:80]!r} is not a commit", field="commit", fix="write 7 to 64 hex digits"
        )
    if url is not None:
        _check_url(url)
    return Commit(id=number.lower(), url=url, file_digest=file_digest)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    plain = url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise Refused(
            f"{url[:80]!r} is not an address", field="url", fix="write https://… of the commit"
        )
    if "@" in parts.netloc:  # everybody who sees the change would see it
        raise Refused(
            "the address holds a login", field="url", fix="write it without what is before the @"
        )
