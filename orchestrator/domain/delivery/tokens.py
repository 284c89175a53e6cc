"""The port to where the tokens of logins are kept, so that all processes use the same ones.

A provider may take each refresh token once, and end a login whose old refresh token comes again. So
one process refreshes at a time, by a lease, and keeps what it got before anybody uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.domain.errors import MeshlineError


class TokensUnusable(MeshlineError):
    """Raised when tokens cannot be kept, or not be opened; it names the setting to correct."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """One login at a provider; whoever shows the same first refresh token means the same login."""

    id: str  # a digest, see `OAuthLogin.login`
    connector: str


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """What is shown with calls."""

    text: str = field(repr=False)
    good_seconds: float  # how long it may still be used


@dataclass(frozen=True, kw_only=True)
class Minted:
    """What a provider answered."""

    access: AccessToken
    refresh: str = field(repr=False)  # the one to show next


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to refresh; for as long as it lasts nobody else does."""

    login: Login
    holder: str
    number: int  # how often the login was refreshed before
    refresh: str | None = field(repr=False)  # the newest kept; None: the definition's own


class TokenKeeper(Protocol):
    """Where tokens are kept. Every method may block; each raises TokensUnusable, StoreUnavailable.

    `refused` is a token that the destination has just refused: it is not given again.
    """

    def take(self, login: Login, *, refused: str) -> AccessToken | Lease | None:
        """A token that is still good, else the right to refresh; None: another has that right."""

    def keep(self, lease: Lease, minted: Minted) -> bool:
        """Keep what was minted and end the lease; False where another has kept newer ones."""

    def give_back(self, lease: Lease) -> None:
        """End a lease without new tokens."""
