"""One event, written into the outbox by the application's own transaction."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from meshline.encoding import Default, encode
from meshline.errors import Refused
from meshline.event import Event
from meshline.outbox.connections import insert
from meshline.outbox.dialects import LONGEST, TABLE, checked_table
from meshline.tracing import trace_of


def add(  # noqa: PLR0913 - all but the first three by name
    connection: Any,
    type: str,  # noqa: A002 - the door's own word for it
    data: object,
    *,
    client: str | None = None,
    idempotency_key: str | None = None,
    aggregate: tuple[str, object] | None = None,
    default: Default | None = None,
    table: str = TABLE,
    paramstyle: str | None = None,
    traceparent: str | None = None,
    tracestate: str | None = None,
) -> str:
    """Insert one event, in the transaction that `connection` is in; answers its idempotency key.

    `connection` is a session or connection of SQLAlchemy, a connection of Django, or any other of
    DB-API 2.0; nothing is committed here. `aggregate` names the thing that the event is about,
    such as ("order", 17): events about one thing are sent in the order of their inserts.
    `default` makes JSON of a value that is not. `paramstyle` is DB-API's word, for a driver that
    does not say it. `traceparent` and `tracestate` say its trace; left out, the current span of
    OpenTelemetry does, where the application has imported that. Raises Refused for what the door
    would refuse at once, and MeshlineError where no transaction is open.
    """
    key = str(uuid4()) if idempotency_key is None else idempotency_key
    event = Event(type, data, client, key, traceparent=traceparent, tracestate=tracestate)
    trace = trace_of(event, None)
    body = json.loads(encode(event, default))
    # A long key is one of its own all the same: two that begin alike only wait for each other.
    kind, number = (type, key[:LONGEST]) if aggregate is None else (aggregate[0], str(aggregate[1]))
    row = {
        "id": key,
        "aggregatetype": kind,
        "aggregateid": number,
        "type": type,
        # ASCII only: a connection with a narrow character set cannot damage it.
        "payload": json.dumps(body["data"], separators=(",", ":")),
        "client": client,
        # As Debezium has it: the text of Java properties.
        "tracingspancontext": "\n".join(f"{name}={said}" for name, said in trace.items()) or None,
    }
    for name in ("aggregatetype", "aggregateid"):
        _check(name, row[name])
    insert(connection, checked_table(table), row, paramstyle=paramstyle)
    return key


def _check(name: str, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or "\0" in value:
        fix = f"it has 1 to {LONGEST} characters, and no NUL"
        raise Refused(
            f"{str(value)[:80]!r} is not a name", code="invalid_data", field=name, fix=fix
        )
