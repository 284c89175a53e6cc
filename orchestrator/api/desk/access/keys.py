"""Keys: list, create, rotate, revoke."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.access.people import Nothing
from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Body, Name, Paged
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.access.key_limits import MOST_PER_DAY, MOST_PER_SECOND, KeyLimits
from orchestrator.domain.access.roles import Role
from orchestrator.domain.acts import Act
from orchestrator.operations.access.keys import (
    OVERLAP_SECONDS,
    create_key,
    create_own_key,
    id_of_key,
    revoke_key,
    rotate_key,
)
from orchestrator.operations.access.limit_key import limit_key
from orchestrator.store.access.keys import Key, list_keys

_MOST_CLIENTS = 1000


class NewKey(Body):
    """What a key is made for."""

    label: Annotated[Name, Field(max_length=255)]
    clients: Annotated[
        tuple[Name, ...],
        Field(min_length=1, max_length=_MOST_CLIENTS, strict=False, description="`*` is every one"),
    ]
    role: Annotated[Role, Field(strict=False)] = Role.PRODUCER
    person: Annotated[
        Name | None, Field(description="your own mail address: it is to prove that you act")
    ] = None
    seconds: Annotated[float | None, Field(description="how long it is taken")] = None


class Rotation(Body):
    """How a key is replaced."""

    overlap_seconds: Annotated[float, Field(description="how long both are taken")] = (
        OVERLAP_SECONDS
    )


class Limits(Body):
    """How much a key may send; null, or left out, takes a limit away."""

    rate_per_second: Annotated[
        int | None, Field(ge=1, le=MOST_PER_SECOND, description="triggers, at each door")
    ] = None
    quota_per_day: Annotated[
        int | None, Field(ge=1, le=MOST_PER_DAY, description="triggers, over all doors")
    ] = None


def list_(asked: Asked) -> Answer:
    """The oldest first, without their secrets."""
    query = asked.query_as(Paged)
    place = place_of(query.cursor, str, str)
    with asked.store.read() as tx:
        every = list_keys(tx, asked.some_clients(tx, Act.MANAGE_KEYS))
    rows = [one for one in every if place is None or (one.created_at, one.id) > place]
    page = page_of(rows[: query.limit + 1], query.limit, lambda row: (row.created_at, row.id))
    return Answer(document=page.as_json("keys"))


def create(asked: Asked) -> Answer:
    """Make one; it is shown this one time."""
    body = asked.body_as(NewKey)
    made_by = create_key if body.person is None else partial(create_own_key, mail=body.person)
    key = made_by(
        asked.store,
        clients=tuple(dict.fromkeys(body.clients)),
        label=body.label,
        actor=asked.actor,
        role=body.role,
        seconds=body.seconds,
    )
    return Answer(document={"id": id_of_key(key), "key": key}, status=HTTPStatus.CREATED)


def rotate(asked: Asked) -> Answer:
    """Make one that replaces it."""
    key = rotate_key(
        asked.store,
        asked.path["id"],
        actor=asked.actor,
        overlap_seconds=asked.body_as(Rotation).overlap_seconds,
    )
    return Answer(document={"id": id_of_key(key), "key": key}, status=HTTPStatus.CREATED)


def limit(asked: Asked) -> Answer:
    """Set both limits."""
    body = asked.body_as(Limits)
    limits = KeyLimits(rate_per_second=body.rate_per_second, quota_per_day=body.quota_per_day)
    limit_key(asked.store, asked.path["id"], limits=limits, actor=asked.actor)
    return Answer(document={"limited": asked.path["id"]})


def revoke(asked: Asked) -> Answer:
    """Refuse it from now on."""
    revoke_key(asked.store, asked.path["id"], actor=asked.actor)
    return Answer(document={"revoked": asked.path["id"]})


_KEY = {
    "type": "object",
    "required": ["id", "key"],
    "properties": {
        "id": {"type": "string", "description": "as the list of keys names it"},
        "key": {"type": "string", "description": "it is shown this one time"},
    },
}

ROUTES = (
    Route(
        method="GET",
        path="/v1/keys",
        name="list_keys",
        act=Act.MANAGE_KEYS,
        says="List keys without their secrets, the oldest first.",
        handler=list_,
        query=Paged,
        answers=list_of(Key, "keys"),
    ),
    Route(
        method="POST",
        path="/v1/keys",
        name="create_key",
        act=Act.MANAGE_KEYS,
        says="Make a program's key, or your own. It takes a key of a person's.",
        handler=create,
        body=NewKey,
        answers=_KEY,
        status=HTTPStatus.CREATED,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/keys/{id}/rotate",
        name="rotate_key",
        act=Act.MANAGE_KEYS,
        says="Make a key that replaces a program's or your own. It takes a key of a person's.",
        handler=rotate,
        body=Rotation,
        answers=_KEY,
        status=HTTPStatus.CREATED,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/keys/{id}/limit",
        name="limit_key",
        act=Act.MANAGE_KEYS,
        says="Limit how much a key may send. It takes a key of a person's.",
        handler=limit,
        body=Limits,
        answers={"type": "object", "required": ["limited"], "properties": {"limited": str}},
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/keys/{id}/revoke",
        name="revoke_key",
        act=Act.MANAGE_KEYS,
        says="Refuse a key from now on. It takes a key of a person's.",
        handler=revoke,
        body=Nothing,
        answers={"type": "object", "required": ["revoked"], "properties": {"revoked": str}},
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
)
