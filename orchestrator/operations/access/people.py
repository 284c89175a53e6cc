"""People: add them, give and withdraw roles, invite, disable. There is always an admin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.access.actor import Actor, name_of_person
from orchestrator.domain.access.roles import EVERY_CLIENT, ROLES_OF_PEOPLE, Role
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import LoginRefused, Refused
from orchestrator.domain.text.addresses import checked_address, in_small_letters
from orchestrator.operations.access.allow import allow
from orchestrator.operations.access.passwords import checked_password, digest_of
from orchestrator.operations.access.tokens import digest_of_secret, new_secret
from orchestrator.store.access import people as rows
from orchestrator.store.access import sessions
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.access.keys import revoke_keys_of
from orchestrator.store.changes.approvers import require_approvals
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_people

INVITE_SECONDS = 72 * 3600.0
"""How long a link may be used by which a person sets a password."""

_LONGEST_NAME = 255
_LONGEST_ADDRESS = 200
"""With `person:` and the way behind it, the audit's and an author's column hold it uncut."""


@dataclass(frozen=True, kw_only=True)
class RoleChange:
    """A role that is given or withdrawn."""

    client: str  # "*" is every client
    role: Role
    withdraw: bool = False


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What became of a person."""

    mail: str
    changed: bool  # False: it was so before
    roles: tuple[rows.Grant, ...]  # that the person has now
    ended_keys: tuple[str, ...] = ()  # ids of the person's keys that ended by it
    ended_sessions: int = 0  # that were not over


def add_person(
    store: Store, mail: str, *, name: str, roles: Sequence[RoleChange], actor: Actor
) -> Changed:
    """Add a person with roles. Raises Refused for what is not an address or is taken, Forbidden."""
    address, named = _checked(mail, name)
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
        hold_people(tx)
        _check_first(tx, roles)
        person = rows.add_person(tx, mail=address, name=named, actor=actor.name)
        if person is None:
            raise Refused(f"{address} is a person already", field="mail", fix="change the roles")
        audit.record(tx, actor=actor.name, action="add_person", detail={"person": address})
        for one in roles:
            _change(tx, person, address, one, actor)
        return _changed(tx, address, changed=True)


def change_roles(
    store: Store,
    mail: str,
    changes: Sequence[RoleChange],
    *,
    actor: Actor,
    compare: Callable[[Tx], None] = lambda _: None,
) -> Changed:
    """Give and withdraw roles; all of them or none.

    `compare` looks before anything is written, and raises where it is not as the person saw it.
    Raises NotFound, Refused where nobody would be left who can manage people, Forbidden.
    """
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
        hold_people(tx)
        person = rows.find_person(tx, mail)
        compare(tx)
        done = [_change(tx, person.id, person.mail, one, actor) for one in changes]
        _check_admins(tx)
        return _changed(tx, person.mail, changed=any(done))


def disable_person(
    store: Store,
    mail: str,
    *,
    actor: Actor,
    enable: bool = False,
    compare: Callable[[Tx], None] = lambda _: None,
) -> Changed:
    """Disable a person: sessions and keys end, roles do not count. Or enable again, without these.

    `compare` looks before anything is written, and raises where it is not as the person saw it.
    Raises NotFound, Refused where nobody would be left who can manage people, Forbidden.
    """
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
        hold_people(tx)
        person = rows.find_person(tx, mail)
        compare(tx)
        changed = rows.set_disabled(tx, person.id, disabled=not enable)
        ended_sessions, ended_keys = 0, []
        if changed:
            ended_sessions = sessions.end_sessions_of(tx, person.id)
            rows.set_subject(tx, person.id, None)  # the next login of the company binds one
            # Whoever held one would act as this person again, once the person is enabled.
            ended_keys = [] if enable else revoke_keys_of(tx, person.id)
            detail = {"person": person.mail, **({"keys": ended_keys} if ended_keys else {})}
            action = "enable_person" if enable else "disable_person"
            audit.record(tx, actor=actor.name, action=action, detail=detail)
        _check_admins(tx)
        return replace(
            _changed(tx, person.mail, changed=changed),
            ended_keys=tuple(ended_keys),
            ended_sessions=ended_sessions,
        )


def invite_person(store: Store, mail: str, *, actor: Actor) -> str:
    """A token for a link by which this person, once, sets a password; an earlier one is void.

    Raises NotFound, Refused for somebody who is disabled, Forbidden.
    """
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
        person = rows.find_person(tx, mail)
        if person.disabled_at is not None:
            raise Refused(f"{person.mail} is disabled", field="person", fix="enable them first")
        audit.record(tx, actor=actor.name, action="invite_person", detail={"person": person.mail})
        return _invite(tx, person.id, actor)


def invite_first_admin(store: Store, *, actor: Actor) -> str | None:
    """A token for the link that makes the first admin; None where there is somebody already."""
    with store.write() as tx:
        if anybody_is_there(tx):
            return None
        return _invite(tx, None, actor)


def whose_invite(store: Store, token: str) -> str | None:
    """The mail address of whose invitation it is; None: who accepts it is the first admin.

    Looking does not use it. Raises LoginRefused for one that is unknown, used or over.
    """
    with store.read() as tx:
        return _found(tx, digest_of_secret(token)).mail


def accept_invite(
    store: Store, token: str, *, password: str, mail: str | None = None, name: str | None = None
) -> str:
    """Set a password by an invitation; the mail address of whose it is now.

    Of the first admin's invitation `mail` and `name` make that person, who gets the role admin for
    every client. The person's sessions and keys end. Raises LoginRefused for an invitation that is
    unknown, used or over, Refused for a password, a name or an address that cannot be one.
    """
    invite_id = digest_of_secret(token)
    with store.read() as tx:
        invite = _found(tx, invite_id)
    address, named = (invite.mail, "") if invite.mail else _checked(mail or "", name or "")
    digest = digest_of(checked_password(password, mail=address))
    with store.write() as tx:
        hold_people(tx)
        invite = _found(tx, invite_id)
        if not sessions.use_invite(tx, invite_id):
            raise _void()
        person = invite.person or _first_admin(tx, address, named, invite.created_by)
        rows.set_password(tx, person, digest)
        sessions.end_sessions_of(tx, person)
        # Whoever came in by an earlier invitation could have made one.
        ended = revoke_keys_of(tx, person)
        detail = {"keys": ended} if ended else None
        actor = name_of_person(address, "invite")
        audit.record(tx, actor=actor, action="set_password", detail=detail)
    return address


def _first_admin(tx: Tx, mail: str, name: str, actor: str) -> int:
    if anybody_is_there(tx):
        raise _void()
    person = rows.add_person(tx, mail=mail, name=name, actor=actor)
    if person is None:
        raise _void()
    detail = {"person": mail, "client": EVERY_CLIENT, "role": Role.ADMIN.value}
    rows.grant(tx, person, EVERY_CLIENT, Role.ADMIN, actor=actor)
    audit.record(tx, actor=actor, action="add_first_admin", detail=detail)
    return person


def _found(tx: Tx, invite: str) -> sessions.Invite:
    found = sessions.find_invite(tx, invite)
    if found is None or (found.person is None and anybody_is_there(tx)):
        raise _void()
    return found


def _void() -> LoginRefused:
    return LoginRefused(
        "the invitation is unknown, used or over",
        field="invitation",
        fix="ask an admin for a new one, by `meshline people invite MAIL`",
    )


def _checked(mail: str, name: str) -> tuple[str, str]:
    address = in_small_letters(checked_address(mail, field="mail"))
    if len(address) > _LONGEST_ADDRESS:
        raise Refused(
            f"a person's address has at most {_LONGEST_ADDRESS} characters",
            field="mail",
            fix="give another address of theirs",
        )
    named = name.strip() or address
    if len(named) > _LONGEST_NAME or not named.isprintable():
        raise Refused(
            f"a name has at most {_LONGEST_NAME} printable characters",
            field="name",
            fix="give the name that colleagues know",
        )
    return address, named


def _check_first(tx: Tx, roles: Sequence[RoleChange]) -> None:
    """The first person closes the door for everybody without a name, so it has to be an admin."""
    admin = any(one.role is Role.ADMIN and one.client == EVERY_CLIENT for one in roles)
    if not admin and not anybody_is_there(tx):
        raise Refused(
            "the first person has to be an admin for every client",
            field="role",
            fix="give them the role admin for every client (--role admin --all-clients)",
        )


def _check_admins(tx: Tx) -> None:
    if not rows.admins(tx):
        raise Refused(
            "nobody would be left who can manage people",
            field="role",
            fix="make somebody else an admin for every client first",
        )


def _change(tx: Tx, person: int, mail: str, change: RoleChange, actor: Actor) -> bool:
    if change.role not in ROLES_OF_PEOPLE:
        raise Refused(f"{change.role} is a role of keys", field="role", fix="give a role of people")
    if change.withdraw:
        done = rows.withdraw(tx, person, change.client, change.role)
    else:
        done = rows.grant(tx, person, change.client, change.role, actor=actor.name)
    if done:
        client = None if change.client == EVERY_CLIENT else change.client
        action = "withdraw_role" if change.withdraw else "grant_role"
        detail = {"person": mail, "client": change.client, "role": change.role.value}
        audit.record(tx, actor=actor.name, action=action, client=client, detail=detail)
    if done and change.role is Role.APPROVER and not change.withdraw:
        # Whoever is disabled later: from the first approver on, changes need an approval.
        cause = f"{mail} has the role approver"
        require_approvals(tx, change.client, cause=cause, actor=actor.name)
    return done


def _changed(tx: Tx, mail: str, *, changed: bool) -> Changed:
    return Changed(mail=mail, changed=changed, roles=rows.find_person(tx, mail).roles)


def _invite(tx: Tx, person: int | None, actor: Actor) -> str:
    token = new_secret()
    sessions.add_invite(
        tx, digest_of_secret(token), person, seconds=INVITE_SECONDS, actor=actor.name
    )
    return token
