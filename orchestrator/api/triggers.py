"""The plain form of a trigger, and what every form has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.domain import strict_json
from orchestrator.domain.abbreviate import shorten
from orchestrator.domain.errors import InvalidTrigger, PayloadTooLarge, Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.hints import did_you_mean
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.operations.manage_keys import Caller

LONGEST_TYPE, LONGEST_KEY, LONGEST_CLIENT = 255, 400, 64  # characters

_FIELDS = ("type", "data", "idempotency_key", "client")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def read_plain(value: object, caller: Caller) -> Trigger:
    """The trigger of `{type, data, idempotency_key?, client?}`.

    Raises InvalidTrigger, ClientNotPermitted.
    """
    fields = as_object(value)
    for name in fields:
        if name not in _FIELDS:
            shown = shorten(name)
            raise InvalidTrigger(
                f"the field {shown!r} is unknown", field=shown, fix=did_you_mean(name, _FIELDS)
            )
    if "data" not in fields:
        raise InvalidTrigger("it is missing", field="data", fix="send the payload as `data`")
    key = None
    if "idempotency_key" in fields:
        key = read_text(fields, "idempotency_key", LONGEST_KEY)
    return make_trigger(fields, caller, data=fields["data"], key=key)


def read_batch(
    value: object, read_one: Callable[[object], Trigger], *, most: int, largest: int
) -> list[Trigger]:
    """The triggers of a JSON array; `most` of them, none with more than `largest` bytes of data.

    Raises InvalidTrigger, PayloadTooLarge, and for one of them RefusedAt.
    """
    if not isinstance(value, list):
        raise InvalidTrigger("a batch is a JSON array", field="body", fix="send `[{…}, {…}]`")
    if not value:
        raise InvalidTrigger("the batch is empty", field="body", fix="send at least one trigger")
    if len(value) > most:
        raise PayloadTooLarge(
            f"the batch has {len(value)} triggers", field="body", fix=f"send {most} at most"
        )
    triggers = []
    for index, one in enumerate(value):
        try:
            trigger = read_one(one)
            _refuse_large(trigger, largest)
        except Refused as refused:
            raise RefusedAt(index, refused) from None
        triggers.append(trigger)
    return triggers


def make_trigger(
    fields: Mapping[str, object], caller: Caller, *, data: object, key: str | None
) -> Trigger:
    """A trigger whose `type` and `client` are in `fields`.

    Raises InvalidTrigger, ClientNotPermitted.
    """
    named = read_text(fields, "client", LONGEST_CLIENT) if "client" in fields else None
    return Trigger(
        type=read_text(fields, "type", LONGEST_TYPE),
        client=caller.client_for(named),
        payload=strict_json.dumps(data),
        digest=strict_json.digest(data),
        idempotency_key=key,
    )


def as_object(value: object) -> dict[str, Any]:
    """A JSON object. Raises InvalidTrigger."""
    if not isinstance(value, dict):
        raise InvalidTrigger("a trigger is a JSON object", field="body", fix="send `{…}`")
    return value


def read_text(fields: Mapping[str, object], name: str, longest: int) -> str:
    """The text `name`: 1 to `longest` characters, none of them a control character.

    Raises InvalidTrigger.
    """
    value = fields.get(name)
    if isinstance(value, str) and 1 <= len(value) <= longest and not _CONTROL.search(value):
        return value
    if name not in fields:
        problem = "it is missing"
    elif not isinstance(value, str):
        problem = "it is not a text"
    elif not 1 <= len(value) <= longest:
        problem = f"it has {len(value)} characters"
    else:
        problem = "it holds a control character"
    raise InvalidTrigger(
        problem, field=name, fix=f"send a text of 1 to {longest} characters, on one line"
    )


def _refuse_large(trigger: Trigger, largest: int) -> None:
    if len(trigger.payload) > largest or len(trigger.payload.encode()) > largest:
        raise PayloadTooLarge(
            f"the data is larger than {largest} bytes",
            field="data",
            fix="send less, or raise MESHLINE_MAX_BODY_BYTES",
        )
