"""Where the tokens of logins are kept: rows of the store, sealed, with one refresher at a time."""

from __future__ import annotations

import secrets
import time
from functools import partial

from orchestrator.domain.delivery.tokens import AccessToken, Lease, Login, Minted
from orchestrator.operations.tokens.sealing import Opened, Seal
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.destinations import tokens as rows

LEASE_SECONDS = 30.0
"""Longer than a refresh may take: asking the provider, and keeping what it answered."""

_KEEP_WITHIN_SECONDS = 10.0  # while the store does not answer
_FORGET_AFTER_SECONDS = 30 * 86_400.0  # a login that another has taken the place of


class Vault:
    """The tokens that all processes with this store share. Safe to use from any thread."""

    def __init__(
        self, store: Store, seal: Seal, *, actor: str, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._store = store
        self._seal = seal
        self._actor = actor
        self._lease_seconds = lease_seconds

    def take(self, login: Login, *, refused: str) -> AccessToken | Lease | None:
        """A token that is still good, else the right to refresh; None: another has that right.

        Raises TokensUnusable and StoreUnavailable.
        """
        with self._store.read() as tx:
            row = rows.find_tokens(tx, login.id)
        if row is not None:  # most looks end here, and keep no writer waiting
            opened = self._opened(login, row)
            if token := _still_good(row, opened, refused):
                return token
            if row.leased:
                return None
        with self._store.write() as tx:
            return self._lease(tx, login, refused)

    def keep(self, lease: Lease, minted: Minted) -> bool:
        """Keep what was minted and end the lease; False where another has kept newer ones.

        Raises StoreUnavailable where the store did not answer for a while.
        """
        opened = Opened(access=minted.access.text, refresh=minted.refresh)
        sealed = self._seal.close(lease.login.id, opened)
        work = partial(self._keep, lease=lease, sealed=sealed, seconds=minted.access.good_seconds)
        return self._store.write_patiently(work, until=time.monotonic() + _KEEP_WITHIN_SECONDS)

    def give_back(self, lease: Lease) -> None:
        """End a lease without new tokens. Raises StoreUnavailable."""
        with self._store.write() as tx:
            rows.end_lease(tx, lease)

    def _lease(self, tx: Tx, login: Login, refused: str) -> AccessToken | Lease | None:
        row = rows.hold_tokens(tx, login)
        opened = self._opened(login, row)
        if token := _still_good(row, opened, refused):
            return token
        if row.leased:
            return None
        holder = secrets.token_hex(16)
        rows.lease_tokens(tx, login.id, holder=holder, seconds=self._lease_seconds)
        refresh = opened.refresh if opened else None
        return Lease(login=login, holder=holder, number=row.number, refresh=refresh)

    def _keep(self, tx: Tx, *, lease: Lease, sealed: str, seconds: float) -> bool:
        if not rows.keep_tokens(tx, lease, sealed=sealed, good_seconds=seconds):
            return False
        replaced = lease.number == 0 and rows.has_other_logins(tx, lease.login)
        audit.record(
            tx,
            actor=self._actor,
            action="replace_login" if replaced else "refresh_login",
            destination=lease.login.connector,
            detail={"digest": lease.login.id[:_SHORT], "version": lease.number + 1},
        )
        rows.forget_old_logins(tx, lease.login, seconds=_FORGET_AFTER_SECONDS)
        return True

    def _opened(self, login: Login, row: rows.SealedTokens) -> Opened | None:
        return self._seal.open(login.id, row.sealed) if row.sealed is not None else None


def _still_good(row: rows.SealedTokens, opened: Opened | None, refused: str) -> AccessToken | None:
    if opened is None or row.good_seconds <= 0 or opened.access == refused:
        return None
    return AccessToken(text=opened.access, good_seconds=row.good_seconds)


_SHORT = 12  # characters of a digest, for people
