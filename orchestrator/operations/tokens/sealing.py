"""Sealing tokens with keys that are not in the store, by Fernet: AES with an HMAC over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from orchestrator.domain.delivery.tokens import TokensUnusable

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from orchestrator.operations.tokens.keys import SealingKeys


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The tokens of one login."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Seal:
    """Seals with the newest key, and opens with any of them."""

    def __init__(self, keys: SealingKeys) -> None:
        self._place = keys.place
        self._fernet = _fernet(keys)

    def close(self, login_id: str, tokens: Opened) -> str:
        """The tokens, sealed. Another login's row cannot be put in this one's place."""
        said = {"login": login_id, "access": tokens.access, "refresh": tokens.refresh}
        sealed: bytes = self._fernet.encrypt(orjson.dumps(said))
        return sealed.decode()

    def open(self, login_id: str, sealed: str) -> Opened:
        """What is in it. Raises TokensUnusable where no key opens it."""
        said = self._content(sealed)
        if said.get("login") != login_id:
            raise TokensUnusable(
                f"no key of {self._place} opens the tokens that the store keeps: add the key that"
                " sealed them to MESHLINE_TOKEN_KEY, behind the newest, or log in again"
            )
        return Opened(access=said["access"], refresh=said["refresh"])

    def opens(self, sealed: str) -> bool:
        """Whether one of the keys fits."""
        return bool(self._content(sealed))

    def _content(self, sealed: str) -> dict[str, str]:
        from cryptography.fernet import InvalidToken

        try:
            said: dict[str, str] = orjson.loads(self._fernet.decrypt(sealed))
        except (InvalidToken, ValueError):
            return {}
        return said


def _fernet(keys: SealingKeys) -> MultiFernet:
    # Whoever keeps no tokens does not load it.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(one) for one in keys.keys])
