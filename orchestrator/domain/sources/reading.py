"""What a request of a source holds: one event or several, each with its type and key."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidTrigger, PayloadTooLarge
from orchestrator.domain.sources.forms import (
    MULTIPART,
    URLENCODED,
    Fields,
    multipart_fields,
    nested,
    urlencoded_fields,
)
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.wording import Wording, value_at

LONGEST_TYPE, LONGEST_KEY = 255, 400  # characters


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is read of one body."""

    depth: int  # levels of nesting
    values: int
    events: int  # of one request


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """A request that asks whether we are there, and what it is answered."""

    when: tuple[tuple[str, str], ...]  # place and text, such as body.type and url_verification
    answer: Wording | None  # None: an empty answer


@dataclass(frozen=True, kw_only=True)
class FormRules:
    """What a form of a page may send."""

    origins: tuple[str, ...]  # of the pages that it is on, such as https://www.acme.example
    honeypot: str | None  # a field that people do not see and leave empty
    redirect: str | None  # where a browser goes afterwards; None: it gets the answer as JSON
    on_error: str | None  # where it goes with what was refused; None: it gets a page that says why


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a source's requests become events."""

    source: str
    type: Wording
    key: Wording | None  # None: each request is an event of its own
    split: bool = False  # an array is an event for each of its elements
    payload_field: str | None = None  # of a form: the field that holds the JSON
    volatile: tuple[str, ...] = ()  # paths that another delivery of the same event may change
    handshakes: tuple[Handshake, ...] = ()
    form: FormRules | None = None  # None: it is no form of a page


@dataclass(frozen=True, kw_only=True)
class HookEvent:
    """One event of a request."""

    type: str | None  # None: the request does not say one that can be a type
    key: str | None  # with the source before it; None: it says none
    payload: str  # JSON, compact
    digest: str  # of the payload without what is volatile


def read_payload(rules: Rules, request: HookRequest, bounds: Bounds) -> object:
    """The body as a JSON value. Raises InvalidJson, InvalidTrigger, PayloadTooLarge."""
    content_type = request.header("content-type")
    kind = content_type.partition(";")[0].strip().lower()
    raw = request.body
    if kind == MULTIPART and rules.form is not None:
        return _of_form(rules.form, multipart_fields(raw, content_type, most=bounds.values), bounds)
    if kind == URLENCODED:
        fields = urlencoded_fields(raw, most=bounds.values)
        if rules.form is not None:
            return _of_form(rules.form, fields, bounds)
        named = _by_name(fields)
        if rules.payload_field is None or rules.payload_field not in named:
            return named
        raw = str(named[rules.payload_field]).encode()
    if not raw.strip():
        return {}
    value = strict_json.loads(raw, max_depth=bounds.depth, most_values=bounds.values)
    return value if rules.form is None else _without_trap(rules.form, value)


def _of_form(form: FormRules, fields: Fields, bounds: Bounds) -> object:
    return _without_trap(form, nested(fields, depth=bounds.depth))


def _without_trap(form: FormRules, payload: object) -> object:
    """The payload without the field that people do not see. Raises InvalidTrigger where it is full.

    It is refused and not dropped in silence: a browser that fills forms by itself may have done it.
    """
    if form.honeypot is None or not isinstance(payload, dict):
        return payload
    if payload.get(form.honeypot) not in (None, ""):
        fix = "leave this field empty: it is there to find out programs"
        raise InvalidTrigger("it is not empty", field=form.honeypot, fix=fix)
    return {name: value for name, value in payload.items() if name != form.honeypot}


def _by_name(fields: Fields) -> dict[str, object]:
    """The fields; one that comes several times is a list of texts."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return {name: some[0] if len(some) == 1 else some for name, some in found.items()}


def answer_to_handshake(rules: Rules, request: HookRequest, payload: object) -> str | None:
    """What a handshake is answered; None where the request is none."""
    for one in rules.handshakes:
        if all(_says(place, text, request, payload) for place, text in one.when):
            return "" if one.answer is None else one.answer.of(request, payload, "") or ""
    return None


def _says(place: str, text: str, request: HookRequest, payload: object) -> bool:
    return value_at(place, request, payload, "") == text


def read_events(
    rules: Rules, request: HookRequest, payload: object, bounds: Bounds
) -> list[HookEvent]:
    """The events of a request, in its order. Raises PayloadTooLarge."""
    payloads = payload if rules.split and isinstance(payload, list) else [payload]
    if len(payloads) > bounds.events:
        problem = f"the request has more than {bounds.events} events"
        raise PayloadTooLarge(problem, field="body", fix=f"send {bounds.events} at most")
    return [_event(rules, request, one) for one in payloads]


def _event(rules: Rules, request: HookRequest, payload: object) -> HookEvent:
    digest = strict_json.digest(_lasting(payload, rules.volatile))
    said = rules.type.of(request, payload, digest)
    key = None if rules.key is None else rules.key.of(request, payload, digest)
    return HookEvent(
        type=said if said and len(said) <= LONGEST_TYPE else None,
        key=None if not key else _bounded(f"{rules.source}:{key}"),
        payload=strict_json.dumps(payload),
        digest=digest,
    )


def _bounded(key: str) -> str:
    """The key; of one that is too long, its digest."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[:100]}~{hashlib.sha256(key.encode()).hexdigest()}"


def _lasting(payload: object, volatile: tuple[str, ...]) -> object:
    """The payload without what another delivery of the same event may change."""
    if not volatile:
        return payload
    rest = copy.deepcopy(payload)
    for path in volatile:
        *way, last = path.split(".")
        place: object = rest
        for step in way:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return rest
