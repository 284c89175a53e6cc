"""The plain form of a trigger, and what every form has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from orchestrator.api.parsers import TURN_BYTES, Reading
from orchestrator.domain.access.roles import EVERY_CLIENT
from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.json_elements import elements, is_array
from orchestrator.domain.documents.json_faults import Fault
from orchestrator.domain.errors import ClientNotPermitted, InvalidTrigger, PayloadTooLarge, Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.trace_context import PARENT, STATE, read_trace
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.operations.access.keys import Caller
from orchestrator.settings import Settings

LONGEST_TYPE, LONGEST_KEY, LONGEST_CLIENT = 255, 400, 64  # characters
_LONGER = 4  # times its compact form: how long a trigger of a batch may be with blanks and escapes

_FIELDS = ("type", "data", "idempotency_key", "client", PARENT, STATE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def read_plain(value: object, caller: Caller) -> Trigger:
    """The trigger of `{type, data, idempotency_key?, client?, traceparent?, tracestate?}`.

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
    raw: bytes,
    read_one: Callable[[object], Trigger],
    config: Settings,
) -> Reading[list[Trigger]]:
    """The triggers of a JSON array, in turns: they are counted first, then built one by one.

    Raises InvalidJson, InvalidTrigger, PayloadTooLarge, and for one of them RefusedAt.
    """

    def refuse(index: int, refused: Refused) -> None:
        raise RefusedAt(index, refused) from None

    items = yield from _items(raw, read_one, config, refuse)
    return list(items.values())


def read_each(
    raw: bytes, read_one: Callable[[object], Trigger], config: Settings
) -> Reading[list[Trigger | Refused]]:
    """As `read_batch`, with the refusal of a trigger at its place; the others are read on."""
    refused: dict[int, Refused] = {}
    items = yield from _items(raw, read_one, config, refused.__setitem__)
    found: dict[int, Trigger | Refused] = {**items, **refused}
    return [found[place] for place in range(len(found))]


def _items(
    raw: bytes,
    read_one: Callable[[object], Trigger],
    config: Settings,
    refuse: Callable[[int, Refused], None],
) -> Reading[dict[int, Trigger]]:
    """The triggers of a JSON array by their places; `refuse` hears of the others."""
    spans = yield from _spans(raw, config)
    triggers: dict[int, Trigger] = {}
    turn_ends = TURN_BYTES
    for index, span in enumerate(spans):
        try:
            trigger = read_one(_value(raw, span, config))
            _refuse_large(trigger, config.max_body_bytes)
            triggers[index] = trigger
        except Refused as refused:
            refuse(index, refused)
        if span[1] > turn_ends:
            turn_ends = span[1] + TURN_BYTES
            yield
    return triggers


def _value(raw: bytes, span: tuple[int, int], config: Settings) -> object:
    """What one element of a batch is. Raises InvalidJson, PayloadTooLarge."""
    return strict_json.part(
        raw, *span, max_depth=config.max_depth + 1, most_values=config.max_values
    )


def _spans(raw: bytes, config: Settings) -> Reading[list[tuple[int, int]]]:
    """Where each trigger of a batch begins and ends."""
    if not is_array(raw):
        if len(raw) <= config.max_body_bytes:
            strict_json.loads(raw, max_depth=config.max_depth, most_values=config.max_values)
        raise InvalidTrigger("a batch is a JSON array", field="body", fix="send `[{…}, {…}]`")
    most = config.max_batch_events
    spans: list[tuple[int, int]] = []
    turn_ends = TURN_BYTES
    try:
        for span in elements(
            raw, longest=_LONGER * config.max_body_bytes, max_depth=config.max_depth + 1
        ):
            spans.append(span)
            if len(spans) > most:
                raise PayloadTooLarge(
                    f"the batch has more than {most} triggers",
                    field="body",
                    fix=f"send {most} at most",
                )
            if span[1] > turn_ends:
                turn_ends = span[1] + TURN_BYTES
                yield
    except Fault as fault:
        if spans:  # where the last one does not end, that is the first fault
            _value(raw, spans[-1], config)
        raise fault.told(raw, "body") from None
    return spans


def make_trigger(
    fields: Mapping[str, object], caller: Caller, *, data: object, key: str | None
) -> Trigger:
    """A trigger whose `type`, `client` and trace are in `fields`.

    Raises InvalidTrigger, ClientNotPermitted.
    """
    named = read_text(fields, "client", LONGEST_CLIENT) if "client" in fields else None
    return Trigger(
        type=read_text(fields, "type", LONGEST_TYPE),
        client=_client_for(caller, named),
        payload=strict_json.dumps(data),
        digest=strict_json.digest(data),
        idempotency_key=key,
        trace=read_trace(fields[PARENT], fields.get(STATE)) if PARENT in fields else None,
    )


def _client_for(caller: Caller, named: str | None) -> str:
    """The client that a trigger is for. Raises ClientNotPermitted.

    A key for one client implies it; with more than one the trigger has to name it.
    """
    if named is None:
        if len(caller.clients) == 1 and caller.clients[0] != EVERY_CLIENT:
            return caller.clients[0]
        raise ClientNotPermitted(
            "the trigger names no client and the key serves several",
            field="client",
            fix=f"name one of: {', '.join(caller.clients)}",
        )
    if not caller.permits(named):
        raise ClientNotPermitted(
            f"the key may not act for client {named!r}",
            field="client",
            fix="use a key of that client: `meshline keys create --client …`",
        )
    return named


def as_object(value: object) -> Mapping[str, object]:
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
