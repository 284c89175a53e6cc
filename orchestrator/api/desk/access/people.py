"""People: list, look, add, give and take roles, disable, enable, invite."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Body, Name, Paged
from orchestrator.api.desk.routes import Answer, Asked, Handler, Route, tag_of
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.access.roles import Role
from orchestrator.domain.acts import Act
from orchestrator.operations.access.people import (
    Changed,
    RoleChange,
    add_person,
    change_roles,
    disable_person,
    invite_person,
)
from orchestrator.store.access.people import Person, list_people, no_person
from orchestrator.store.database.engine import Tx

_MOST_ROLES = 100


class GivenRole(Body):
    """A role for one client, or for `*`, which is every client."""

    client: Name
    role: Annotated[Role, Field(strict=False)]


class NewPerson(Body):
    """Who is added."""

    mail: Annotated[Name, Field(description="an e-mail address")]
    name: Name
    roles: Annotated[tuple[GivenRole, ...], Field(max_length=_MOST_ROLES, strict=False)] = ()


class RoleChanges(Body):
    """Roles to give and to take, all of it or nothing."""

    give: Annotated[tuple[GivenRole, ...], Field(max_length=_MOST_ROLES, strict=False)] = ()
    take: Annotated[tuple[GivenRole, ...], Field(max_length=_MOST_ROLES, strict=False)] = ()


class Nothing(Body):
    """An act that needs nothing to be said."""


def list_(asked: Asked) -> Answer:
    """By mail address; of other clients than one's own nobody."""
    query = asked.query_as(Paged)
    place = place_of(query.cursor, str)
    with asked.store.read() as tx:
        every = list_people(tx, asked.some_clients(tx))
    rows = [one for one in every if place is None or one.mail > str(place[0])]
    page = page_of(rows[: query.limit + 1], query.limit, lambda row: (row.mail,))
    return Answer(document=page.as_json("people"))


def show(asked: Asked) -> Answer:
    """One person with their roles."""
    with asked.store.read() as tx:
        return Answer(document=_person(tx, asked))


def add(asked: Asked) -> Answer:
    """Add somebody with roles."""
    body = asked.body_as(NewPerson)
    done = add_person(
        asked.store, body.mail, name=body.name, roles=_changes(body.roles), actor=asked.actor
    )
    return Answer(document=done, status=HTTPStatus.CREATED, location=f"/v1/people/{done.mail}")


def change(asked: Asked) -> Answer:
    """Give and take roles."""
    body = asked.body_as(RoleChanges)
    changes = [*_changes(body.give), *_changes(body.take, withdraw=True)]
    done = change_roles(
        asked.store,
        asked.path["mail"],
        changes,
        actor=asked.actor,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document=done)


def disable(asked: Asked) -> Answer:
    """End their sessions and their keys."""
    return _switched(asked, enable=False)


def enable(asked: Asked) -> Answer:
    """Let them in again; keys that ended stay so."""
    return _switched(asked, enable=True)


def invite(asked: Asked) -> Answer:
    """A token by which they set a password, once."""
    token = invite_person(asked.store, asked.path["mail"], actor=asked.actor)
    return Answer(document={"invitation": token})


def _switched(asked: Asked, *, enable: bool) -> Answer:
    done = disable_person(
        asked.store,
        asked.path["mail"],
        actor=asked.actor,
        enable=enable,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document=done)


def _changes(given: Sequence[GivenRole], *, withdraw: bool = False) -> list[RoleChange]:
    return [RoleChange(client=one.client, role=one.role, withdraw=withdraw) for one in given]


def _person(tx: Tx, asked: Asked) -> Person:
    """Raises NotFound, also for somebody who has a role for other clients only."""
    mail = asked.path["mail"]
    every = list_people(tx, asked.clients(tx))
    found = next((one for one in every if one.mail == mail.strip().lower()), None)
    if found is None:
        raise no_person(mail)
    return found


def _compare(tx: Tx, asked: Asked) -> None:
    if asked.seen:
        found = _person(tx, asked)
        asked.check_seen(tag_of(found), lambda: _last_change(found))


def _last_change(found: Person) -> str:
    if found.disabled_at is not None:
        return f"{found.mail} was disabled at {found.disabled_at}"
    last = max(found.roles, key=lambda one: one.granted_at, default=None)
    if last is None:
        return f"{found.mail} has no role"
    given = f"{last.role} of {last.client}"
    return f"{last.granted_by} gave the newest role, {given}, at {last.granted_at}"


_ONE = "/v1/people/{mail}"


def _act(path: str, name: str, handler: Handler, body: type[Body], says: str) -> Route:
    return Route(
        method="POST",
        path=f"{_ONE}/{path}",
        name=name,
        act=Act.MANAGE_PEOPLE,
        says=f"{says} It takes a key of a person's.",
        handler=handler,
        body=body,
        answers=Changed,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/people",
        name="list_people",
        act=Act.VIEW,
        says="List people with their roles, by mail address.",
        handler=list_,
        query=Paged,
        answers=list_of(Person, "people"),
    ),
    Route(
        method="POST",
        path="/v1/people",
        name="add_person",
        act=Act.MANAGE_PEOPLE,
        says="Add a person with roles. It takes a key of a person's.",
        handler=add,
        body=NewPerson,
        answers=Changed,
        status=HTTPStatus.CREATED,
    ),
    Route(
        method="GET",
        path=_ONE,
        name="show_person",
        act=Act.VIEW,
        says="Show a person with their roles.",
        handler=show,
        answers=Person,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    _act("roles", "change_roles", change, RoleChanges, "Give and take roles, all of them or none."),
    _act("disable", "disable_person", disable, Nothing, "End a person's sessions and keys."),
    _act("enable", "enable_person", enable, Nothing, "Let a person in again."),
    Route(
        method="POST",
        path=f"{_ONE}/invite",
        name="invite_person",
        act=Act.MANAGE_PEOPLE,
        says="Make a token by which a person, once, sets a password. It takes a key of a person's.",
        handler=invite,
        body=Nothing,
        answers={"type": "object", "required": ["invitation"], "properties": {"invitation": str}},
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
)
