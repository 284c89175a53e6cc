"""What a request of a source holds: one event or several, each with its type and key."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidJson, PayloadTooLarge
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.wording import Wording, value_at

FORM = "application/x-www-form-urlencoded"
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
class Rules:
    """How a source's requests become events."""

    source: str
    type: Wording
    key: Wording | None  # None: each request is an event of its own
    split: bool = False  # an array is an event for each of its elements
    payload_field: str | None = None  # of a form: the field that holds the JSON
    volatile: tuple[str, ...] = ()  # paths that another delivery of the same event may change
    handshakes: tuple[Handshake, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HookEvent:
    """One event of a request."""

    type: str | None  # None: the request does not say one that can be a type
    key: str | None  # with the source before it; None: it says none
    payload: str  # JSON, compact
    digest: str  # of the payload without what is volatile


def read_body(rules: Rules, request: HookRequest, bounds: Bounds) -> object:
    """The body as a JSON value. Raises InvalidJson, PayloadTooLarge."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    raw = request.body
    if kind == FORM:
        fields = form_fields(raw, bounds)
        if rules.payload_field is None or rules.payload_field not in fields:
            return fields
        raw = str(fields[rules.payload_field]).encode()
    if not raw.strip():
        return {}
    return strict_json.loads(raw, max_depth=bounds.depth, most_values=bounds.values)


def form_fields(raw: bytes, bounds: Bounds) -> dict[str, object]:
    """The fields of a form; one that comes several times is a list of texts.

    Raises InvalidJson, PayloadTooLarge.
    """
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, max_num_fields=bounds.values, errors="strict"
        )
    except UnicodeDecodeError:
        fix = "encode the form as UTF-8"
        raise InvalidJson("the form is not UTF-8", field="body", fix=fix) from None
    except ValueError:
        problem = f"the form has more than {bounds.values} fields"
        raise PayloadTooLarge(problem, field="body", fix="send fewer") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
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
