"""Say who decides about changes while somebody is away."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, mail_of
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.timing import time_ahead
from orchestrator.domain.errors import Refused
from orchestrator.operations.access.allow import allow, is_proven
from orchestrator.store.access import people as rows
from orchestrator.store.changes.absences import add_absence, away_now, end_absence
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_people
from orchestrator.store.views.values import iso_time, now_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """Whether a person is away."""

    mail: str
    until: str | None  # ISO 8601 in UTC; None: they are back
    to: str | None  # who decides in their place: a mail address
    cannot: tuple[str, ...] = ()  # clients whose approver they are, and the other is not


def set_away(store: Store, mail: str, *, until: str, to: str, actor: Actor) -> Absent:
    """Let `to` decide about changes in a person's place until then.

    They decide by a role approver of their own, never about a change of which they are an author,
    and nobody in their place in turn. A person says it of themselves; else it takes an admin.
    Raises NotFound, Forbidden, Refused for a wrong time, oneself, and whoever is disabled.
    """
    with store.write() as tx:
        hold_people(tx)
        person = _person(tx, mail, actor)
        other = rows.find_person(tx, to)
        ends = time_ahead(until, now_of(tx), field="until")
        if other.id == person.id or other.disabled_at is not None:
            why = "is disabled" if other.id != person.id else "is the one who is away"
            raise Refused(f"{other.mail} {why}", field="to", fix="name another person")
        add_absence(tx, person.id, person.mail, other.id, other.mail, ends, actor=actor.name)
        return Absent(
            mail=person.mail, until=iso_time(ends), to=other.mail, cannot=_cannot(person, other)
        )


def end_away(store: Store, mail: str, *, actor: Actor) -> Absent:
    """They are back, and nobody decides in their place any more. Raises NotFound, Forbidden."""
    with store.write() as tx:
        hold_people(tx)
        person = _person(tx, mail, actor)
        if end_absence(tx, person.id):
            detail = {"person": person.mail}
            audit.record(tx, actor=actor.name, action="come_back", detail=detail)
        return Absent(mail=person.mail, until=None, to=None)


def absence_of(tx: Tx, mail: str) -> Absent | None:
    """Until when a person is away, and who decides in their place; None: they are not."""
    one = away_now(tx).get(mail)
    return None if one is None else Absent(mail=mail, until=iso_time(one.until), to=one.to)


def _cannot(person: rows.Person, other: rows.Person) -> tuple[str, ...]:
    """The clients for which one is an approver and the other is not."""
    mine, theirs = (
        {grant.client for grant in one.roles if grant.role is Role.APPROVER}
        for one in (person, other)
    )
    return () if EVERY_CLIENT in theirs else tuple(sorted(mine - theirs))


def _person(tx: Tx, mail: str, actor: Actor) -> rows.Person:
    """The person, whom the actor is, or may manage."""
    if not (is_proven(actor) and mail_of(actor.name) == mail.strip().lower()):
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
    return rows.find_person(tx, mail)
