"""Passwords: what is taken as one, its digest by argon2id, and comparing in bounded memory."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orchestrator.domain.errors import Refused

SHORTEST, LONGEST = 12, 1_000  # characters

# Each takes 64 MiB: strangers who log in all at once wait for each other.
_AT_ONCE = threading.BoundedSemaphore(2)


def checked_password(password: str, *, mail: str) -> str:
    """The password. Raises Refused for one that is too short, too long, or the mail address.

    Length is all that is asked for, as NIST SP 800-63B advises.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(
            f"a password has {SHORTEST} to {LONGEST} characters",
            field="password",
            fix="take a few words that nobody would guess",
        )
    if password.strip().lower() == mail:
        raise Refused("the password is the mail address", field="password", fix="take another one")
    return password


def digest_of(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return _hasher().hash(_bytes(password))


def is_password(password: str, digest: str | None) -> bool:
    """Whether this is the password. For somebody without one it takes as long, and is False."""
    if len(password) > LONGEST:
        return False
    with _AT_ONCE:
        try:
            _hasher().verify(digest or _nobodys(), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return digest is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")
