"""Log in and out: a password makes a session, a session makes an actor.

A session is proven by a random token that only its holder has; the store keeps a digest of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, Proof, name_of_person
from orchestrator.domain.errors import LoginRefused, StoreUnavailable
from orchestrator.operations.access.passwords import checked_password, digest_of, is_password
from orchestrator.operations.access.tokens import digest_of_secret, new_secret
from orchestrator.store.access import sessions as rows
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.access.logins import (
    count_login,
    failures_of,
    forget_failures,
    uncount_login,
)
from orchestrator.store.access.people import Credentials, credentials_of, set_password
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.prepared import storable

SESSION_SECONDS = 12 * 3600.0
"""How long a session lasts, however much it is used."""

IDLE_SECONDS = 3600.0
"""How long a session lasts that is not used."""

_FREE_BY_NAME, _FREE_BY_ADDRESS = 5, 50  # logins that may fail before the next has to wait
_LONGEST_WAIT = 900.0  # seconds


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """Somebody who just logged in, or comes back with a session."""

    token: str  # what proves the session; for its holder alone
    actor: Actor
    mail: str
    name: str
    way: str  # `page` or `cli`
    ends_at: int  # in milliseconds since 1970, however much it is used


def log_in(
    store: Store,
    mail: str,
    password: str,
    *,
    way: str,
    address: str | None,
    instead_of: str | None = None,
) -> LoggedIn:
    """Begin a session by mail address and password.

    `way` is `page` or `cli`. `address` is where the request comes from, or None where nobody knows:
    behind a proxy all seem to come from one, and would wait for one another. `instead_of` is the
    token of a session that the same browser held, which ends. After some failures by one name or
    from one address the next login has to wait, up to a quarter of an hour.

    Raises LoginRefused, which does not say whether there is such a person.
    """
    named = _named(mail)
    name, subjects = _subjects(named, address)
    with store.write() as tx:
        _count(tx, subjects)
        known = credentials_of(tx, named)
    right = is_password(password, known.password if known else None)
    if not right or known is None:
        if known is not None:
            _tell_failure(store, known, way)
        raise LoginRefused(
            "the mail address or the password is wrong",
            field="password",
            fix="try again, or ask an admin for a new invitation",
        )
    with store.write() as tx:
        _uncount(tx, name, subjects)
        if instead_of is not None:
            rows.end_session(tx, digest_of_secret(instead_of))
        return begin_session(tx, known, way=way)


def log_in_by_settings(
    store: Store, user: str, *, is_right: bool, address: str | None, actor: str
) -> None:
    """Let somebody in who has the login of the settings, which is for a store without people.

    It is counted as any other login, and waits as that. Raises LoginRefused where it is wrong, or
    where there are people.
    """
    name, subjects = _subjects(_named(user), address)
    with store.write() as tx:
        _count(tx, subjects)
        is_open = not anybody_is_there(tx)
    if not (is_open and is_right):
        raise LoginRefused("the user or the password is wrong", field="password", fix="try again")
    with store.write() as tx:
        _uncount(tx, name, subjects)
        audit.record(tx, actor=actor, action="log_in", detail={"by": "settings"})


def begin_session(tx: Tx, person: Credentials, *, way: str, by: str | None = None) -> LoggedIn:
    """Write a session for somebody who has proven who they are; `by` what, if not a password."""
    token = new_secret()
    rows.add_session(tx, digest_of_secret(token), person.id, way=way, seconds=SESSION_SECONDS)
    detail = None if by is None else {"by": by}
    audit.record(tx, actor=name_of_person(person.mail, way), action="log_in", detail=detail)
    session = rows.find_session(tx, digest_of_secret(token), idle_seconds=IDLE_SECONDS)
    if session is None:
        raise LoginRefused("the person is disabled", fix="ask an admin")
    return _logged_in(token, session)


def resume_session(store: Store, token: str, *, is_used: bool = True) -> LoggedIn:
    """Who comes with a session; `is_used` where a person does, not a page that is left open.

    Raises LoginRefused where it is unknown or has ended.
    """
    digest = digest_of_secret(token)
    with store.read() as tx:
        session = rows.find_session(tx, digest, idle_seconds=IDLE_SECONDS)
        stale = is_used and session is not None and rows.needs_note(tx, digest)
    if session is None:
        raise _ended()
    if stale:
        # Whoever looks while the store is read-only may look: then the session ends a bit sooner.
        with suppress(StoreUnavailable), store.write() as tx:
            rows.note_use(tx, digest)
    return _logged_in(token, session)


def change_password(store: Store, session: LoggedIn, password: str, new: str) -> str:
    """Set one's own password anew; the token of a new session, for all others end.

    Raises LoginRefused where `password` is wrong, Refused for a new one that cannot be one.
    """
    checked_password(new, mail=session.mail)
    proven = log_in(store, session.mail, password, way=session.way, address=session.mail)
    digest = digest_of(new)
    with store.write() as tx:
        person = credentials_of(tx, session.mail)
        if person is None:
            raise _ended()
        set_password(tx, person.id, digest)
        rows.end_sessions_of(tx, person.id, but=digest_of_secret(proven.token))
        audit.record(tx, actor=session.actor.name, action="set_password")
    return proven.token


def log_out(store: Store, token: str, *, everywhere: bool = False) -> int:
    """End a session, or with `everywhere` all of that person's; how many were in force."""
    digest = digest_of_secret(token)
    with store.write() as tx:
        session = rows.find_session(tx, digest, idle_seconds=IDLE_SECONDS)
        if session is None:
            return 0
        if everywhere:
            ended = rows.end_sessions_of(tx, session.person)
        else:
            ended = int(rows.end_session(tx, digest))
        actor = name_of_person(session.mail, session.way)
        audit.record(tx, actor=actor, action="log_out", detail={"sessions": ended})
    return ended


def _ended() -> LoginRefused:
    return LoginRefused(
        "the session has ended", field="session", fix="log in again, with `meshline login`"
    )


def _logged_in(token: str, session: rows.Session) -> LoggedIn:
    actor = Actor(
        name=name_of_person(session.mail, session.way),
        proof=Proof.SESSION,
        person=session.person,
        session=session.id,
    )
    return LoggedIn(
        token=token,
        actor=actor,
        mail=session.mail,
        name=session.name,
        way=session.way,
        ends_at=session.ends_at,
    )


def _named(given: str) -> str:
    return storable(given.encode("utf-8", "replace").decode().strip().lower()[:320])


def _subjects(named: str, address: str | None) -> tuple[str, dict[str, int]]:
    """What a login is counted by, and after how many failures each waits; the first is the name."""
    name = _subject("name", named)
    subjects = {name: _FREE_BY_NAME}
    if address is not None:
        subjects[_subject("address", address)] = _FREE_BY_ADDRESS
    return name, subjects


def _count(tx: Tx, subjects: Mapping[str, int]) -> None:
    _check_wait(tx, subjects)
    for subject in subjects:
        count_login(tx, subject)  # before it is compared: many at once count too


def _uncount(tx: Tx, name: str, subjects: Mapping[str, int]) -> None:
    forget_failures(tx, name)
    # Of an address only this one login: else whoever has an account could guess at others'.
    for subject in subjects.keys() - {name}:
        uncount_login(tx, subject)


def _check_wait(tx: Tx, subjects: Mapping[str, int]) -> None:
    """Raises LoginRefused while the name or the address has to wait."""
    for subject, free in subjects.items():
        failures, seconds_ago = failures_of(tx, subject)
        if failures < free:
            continue
        wait = min(_LONGEST_WAIT, 2.0 ** min(failures - free, 20)) - seconds_ago
        if wait > 0:
            raise LoginRefused(
                f"too many logins failed; the next is looked at in {max(1, round(wait))} s",
                field="password",
                fix="wait that long, then try again",
            )


def _tell_failure(store: Store, person: Credentials, way: str) -> None:
    with store.write() as tx:
        actor = name_of_person(person.mail, way)
        audit.record(tx, actor=actor, action="log_in_refused", reason="wrong password")


def _subject(kind: str, value: str) -> str:
    """A digest: the table holds neither names that strangers make up nor addresses of people."""
    return hashlib.sha256(f"{kind}:{value}".encode("utf-8", "surrogatepass")).hexdigest()
