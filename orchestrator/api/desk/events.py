"""Events: list. The door sends and shows them by endpoints of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Name, Number, Paged
from orchestrator.api.desk.routes import Answer, Asked, Header, Route
from orchestrator.api.desk.schemas import ANY_JSON, Schema, list_of
from orchestrator.api.looks.show import Look
from orchestrator.domain.acts import Act
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.access.allow import scope_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import EventRow, EventView, list_events
from orchestrator.store.views.quarantine.selection import Selection


class Events(Paged):
    """Which events."""

    client: Name | None = None
    workflow: Name | None = None
    state: State | None = None
    reason: Reason | None = None
    text: Annotated[
        Name | None, Field(description="an idempotency key, or the beginning of an id")
    ] = None
    key: Annotated[
        Name | None,
        Field(description="an idempotency key; a producer's key may ask with it, for its clients"),
    ] = None
    words: Annotated[
        Name | None, Field(description="words of the payload of a quarantined event")
    ] = None
    incident: Number | None = None
    held: bool = False


def list_(asked: Asked) -> Answer:
    """The newest first."""
    query = asked.query_as(Events)
    place = place_of(query.cursor, str)
    about = Selection(client=query.client, workflow=query.workflow, incident=query.incident)
    with asked.store.read() as tx:
        wanted = Wanted(
            client=query.client,
            workflow=query.workflow,
            state=None if query.state is None else query.state.value,
            reason=None if query.reason is None else query.reason.value,
            text=query.text,
            words=asked.words(tx, query.words, about),
            incident=query.incident,
            held=query.held,
            key=query.key,
            clients=_clients(asked, tx, query.key),
            before=None if place is None else str(place[0]),
            limit=query.limit + 1,
        )
        rows = list_events(tx, wanted)
    return Answer(document=page_of(rows, query.limit, lambda row: (row.id,)).as_json("events"))


def _clients(asked: Asked, tx: Tx, key: str | None) -> frozenset[str] | None:
    """Whose events may be listed; by their key those too that the actor may send. None: all.

    Raises Forbidden.
    """
    seen = asked.clients(tx) if key is not None else asked.some_clients(tx)
    if key is None or seen is None:
        return seen
    sent = scope_of(tx, asked.actor, Act.EMIT).names
    if sent is None or seen | sent:
        return None if sent is None else seen | sent
    return asked.some_clients(tx)


_LINE = r"^[^\x00-\x1f\x7f-\x9f]+$"
_TRIGGER: Schema = {
    "type": "object",
    "required": ["type", "data"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _LINE},
        "data": {"description": "the payload", **ANY_JSON},
        "idempotency_key": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": _LINE},
        "client": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": _LINE},
        # Whatever they are, they refuse no event: what is not valid is passed over.
        "traceparent": {"description": "as the header, of this trigger alone", **ANY_JSON},
        "tracestate": {"description": "as the header, of this trigger alone", **ANY_JSON},
    },
}
ACCEPTED: Schema = {
    "type": "object",
    "required": ["id", "duplicate"],
    "properties": {"id": {"type": "string"}, "duplicate": {"type": "boolean"}},
}
_EACH: Schema = {
    "description": "with Prefer: outcome=each, by their places",
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer"},
        "id": {"type": "string"},
        "duplicate": {"type": "boolean"},
        "problem": {"$ref": "#/components/schemas/Problem"},
    },
}
_BATCH = {"type": "array", "minItems": 1, "items": _TRIGGER}
_CLOUD_EVENT: Schema = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "additionalProperties": ANY_JSON,
}
_BODIES = {
    "application/json": {"schema": _TRIGGER},
    "application/vnd.meshline.batch+json": {"schema": _BATCH},
    "application/cloudevents+json": {"schema": _CLOUD_EVENT},
    "application/cloudevents-batch+json": {"schema": {"type": "array", "items": _CLOUD_EVENT}},
}

_HEADERS = (
    Header(
        name="Idempotency-Key",
        says="the key of one plain trigger, instead of `idempotency_key`",
        schema={"type": "string", "minLength": 1, "maxLength": 400},
    ),
    Header(
        name="Prefer",
        says="`outcome=each`: each trigger of a batch is taken or refused by itself (207)",
        schema={"type": "string"},
    ),
    Header(
        name="traceparent",
        says="the trace that the triggers belong to (W3C Trace Context); a bad one is passed over",
        schema={"type": "string"},
    ),
    Header(
        name="tracestate",
        says="what tracing systems add to `traceparent`",
        schema={"type": "string"},
    ),
)

_KNOWN = Header(
    name="If-None-Match",
    says="the ETag that you know: 304 while it is the same, after `wait` seconds at the latest",
    schema={"type": "string"},
)

ROUTES = (
    Route(
        method="POST",
        path="/v1/events",
        name="send_events",
        act=Act.EMIT,
        says="Send a trigger or a batch; what is answered 202 is stored.",
        answers={
            "anyOf": [
                ACCEPTED,
                {
                    "type": "object",
                    "required": ["events"],
                    "properties": {
                        "events": {"type": "array", "items": {"anyOf": [ACCEPTED, _EACH]}}
                    },
                },
            ]
        },
        status=HTTPStatus.ACCEPTED,
        also=HTTPStatus.MULTI_STATUS,
        headers=_HEADERS,
        refusals=(HTTPStatus.CONFLICT,),
        content=_BODIES,
    ),
    Route(
        method="GET",
        path="/v1/events/{id}",
        name="show_event",
        act=Act.VIEW,
        or_act=Act.EMIT,
        says="Show an event: state, stage, reason, deliveries and history.",
        answers=EventView,
        query=Look,
        headers=(_KNOWN,),
        tagged=True,
        also=HTTPStatus.NOT_MODIFIED,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/v1/events",
        name="list_events",
        act=Act.VIEW,
        says="List events, the newest first.",
        handler=list_,
        query=Events,
        answers=list_of(EventRow, "events"),
    ),
)
