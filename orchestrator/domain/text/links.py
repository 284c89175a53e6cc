"""Links that open one page for a week: signed, so that nobody can make one up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from itsdangerous import BadSignature, TimestampSigner

GOOD_FOR_SECONDS = 7 * 86_400


class _Signer(TimestampSigner):
    """Signs with SHA-256, at a time that it is given: nothing here looks at a clock."""

    default_digest_method = staticmethod(hashlib.sha256)

    def __init__(self, key: str, now: float) -> None:
        super().__init__(key, salt="meshline.links", sep=".", key_derivation="hmac")
        self._now = int(now)

    def get_timestamp(self) -> int:
        """The time of the signature, and of the look at it, in seconds since 1970."""
        return self._now


def signed(path: str, *, now: float, key: str) -> str:
    """The path of a page with its signature, made at `now` in seconds since 1970."""
    _, stamp, signature = _Signer(key, now).sign(path).decode().rsplit(".", 2)
    return f"{path}?signed={stamp}.{signature}"


def opens(path: str, query: Mapping[str, str], *, now: float, key: str) -> bool:
    """Whether a request for `path` with these arguments bears a signature that is still good.

    One from the future is not: it was made with another clock, or by somebody who guesses.
    """
    given = query.get("signed", "")
    if not given.isascii() or given.count(".") != 1:  # else its parts could be the path's
        return False
    try:
        _Signer(key, now).unsign(f"{path}.{given}", max_age=GOOD_FOR_SECONDS)
    except BadSignature:
        return False
    return True
