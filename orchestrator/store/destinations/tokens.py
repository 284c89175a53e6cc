"""The sealed tokens of logins as rows, and the lease of the one process that refreshes.

Sealed tokens are never opened here: `orchestrator.operations.tokens` has the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, and_, delete, or_, select, update

from orchestrator.domain.delivery.tokens import Lease, Login
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.schema import oauth_tokens
from orchestrator.store.database.upserts import upsert

_T = oauth_tokens.c


@dataclass(frozen=True, kw_only=True)
class SealedTokens:
    """The row of one login."""

    connector: str
    number: int  # how often it was refreshed
    sealed: str | None  # None: never refreshed
    good_seconds: float  # of the access token; below 0 it ran out
    leased: bool  # a process is refreshing it


def find_tokens(tx: Connection, login_id: str) -> SealedTokens | None:
    """The row of a login, as it is now."""
    return _row(tx, _READ.where(_T.id == login_id))


def hold_tokens(tx: Connection, login: Login) -> SealedTokens:
    """The row of a login, made if need be, and nobody else's until the transaction ends."""
    new = upsert(tx.dialect.name, oauth_tokens).values(
        id=login.id, connector=login.connector, number=0, good_until=0, kept_at=now_ms()
    )
    tx.execute(new.on_conflict_do_nothing(index_elements=[_T.id]))
    # On PostgreSQL what is read is read after the wait; on SQLite a writer is alone.
    found = _row(tx, _READ.where(_T.id == login.id).with_for_update())
    assert found is not None  # noqa: S101 - the statement before made it
    return found


def lease_tokens(tx: Connection, login_id: str, *, holder: str, seconds: float) -> None:
    """Give a process the right to refresh. The row has to be held."""
    _change(tx, login_id, holder=holder, leased_until=after(seconds))


def keep_tokens(tx: Connection, lease: Lease, *, sealed: str, good_seconds: float) -> bool:
    """Write what was minted; False where another has written since the lease was given.

    A lease that ran out meanwhile still counts for as long as nobody has written: what its holder
    has is the newest.
    """
    mine = or_(_T.holder == lease.holder, _T.number == lease.number)
    done = tx.execute(
        update(oauth_tokens)
        .where(and_(_T.id == lease.login.id, mine))
        .values(
            connector=lease.login.connector,
            number=_T.number + 1,
            sealed=sealed,
            good_until=after(good_seconds),
            kept_at=now_ms(),
        )
    )
    end_lease(tx, lease)
    return done.rowcount == 1


def end_lease(tx: Connection, lease: Lease) -> None:
    """Let others refresh."""
    mine = and_(_T.id == lease.login.id, _T.holder == lease.holder)
    tx.execute(update(oauth_tokens).where(mine).values(holder=None, leased_until=None))


def has_other_logins(tx: Connection, login: Login) -> bool:
    """Whether the connector had another login before this one."""
    others = select(_T.id).where(_T.connector == login.connector, _T.id != login.id).limit(1)
    return tx.execute(others).first() is not None


def forget_old_logins(tx: Connection, login: Login, *, seconds: float) -> int:
    """Delete the connector's other logins that were not refreshed for so long; how many."""
    old = and_(_T.connector == login.connector, _T.id != login.id, _T.kept_at < after(-seconds))
    return tx.execute(delete(oauth_tokens).where(old)).rowcount


def list_tokens(tx: Connection) -> Sequence[SealedTokens]:
    """Every login's row, by connector."""
    return [_found(row) for row in tx.execute(_READ.order_by(_T.connector, _T.id))]


_READ = select(
    _T.connector,
    _T.number,
    _T.sealed,
    (_T.good_until - now_ms()).label("good_ms"),
    (_T.leased_until > now_ms()).label("leased"),
)


def _change(tx: Connection, login_id: str, **values: object) -> None:
    tx.execute(update(oauth_tokens).where(_T.id == login_id).values(**values))


def _row(tx: Connection, statement: Select[tuple[str, int, str, int, bool]]) -> SealedTokens | None:
    row = tx.execute(statement).one_or_none()
    return _found(row) if row is not None else None


def _found(row: Row[tuple[str, int, str, int, bool]]) -> SealedTokens:
    return SealedTokens(
        connector=row.connector,
        number=row.number,
        sealed=row.sealed,
        good_seconds=row.good_ms / 1000,
        leased=bool(row.leased),
    )
