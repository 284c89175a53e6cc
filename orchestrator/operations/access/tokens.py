"""Random secrets: keys, sessions, invitations. The store keeps a digest of each, never itself."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    """A secret that nobody guesses: 256 random bits, as 43 characters of an address."""
    return secrets.token_urlsafe(32)


def digest_of_secret(secret: str) -> str:
    """What is kept of it. A slow hash would add nothing but load to 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
