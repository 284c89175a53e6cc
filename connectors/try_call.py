"""One real call of a connector, with everything that went over the line kept to be shown."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from connectors.handoff.single import hand_over
from connectors.http.wire.exchange import Answer, Client, NoAnswer, NotSent, Request
from connectors.http.wire.reading import text_of
from connectors.registry import Known
from orchestrator.domain.delivery.handoff import Action, Made, Outgoing
from orchestrator.domain.errors import (
    AlreadyThere,
    ConnectorError,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)
from orchestrator.domain.text.masking import masked

Operation = Literal["handoff", "write", "lookup", "read", "undo"]

_HARMLESS = frozenset({"look-up", "read", "token"})
_LONGEST = 4_000  # characters of a body that are shown
_TELLING = ("content-type", "location", "retry-after", "ratelimit", "x-ratelimit", "x-rate-limit")
_WORDS: tuple[tuple[type[ConnectorError], str], ...] = (
    (AlreadyThere, "conflict"),
    (Unauthorized, "unauthorized"),
    (RateLimited, "rate_limited"),
    (OutcomeUnknown, "unknown"),
    (DestinationUnavailable, "unavailable"),
)


@dataclass(kw_only=True)
class Watched:
    """A client that keeps what it sends and what it is answered."""

    inner: Client
    dry_run: bool  # nothing that changes anything goes out
    seen: list[tuple[Request, Answer | str]] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        """Send one request, unless it would change something on a dry run."""
        if self.dry_run and not _is_harmless(request.purpose):
            self.seen.append((request, "not sent: this is a dry run"))
            raise NotSent("this is a dry run")
        try:
            answer = await self.inner.send(request)
        except (NotSent, NoAnswer) as error:
            self.seen.append((request, str(error)))
            raise
        self.seen.append((request, answer))
        return answer

    async def close(self) -> None:
        """Close every connection."""
        await self.inner.close()


async def tried(
    known: Known, call: Outgoing, operation: Operation, *, record_id: str
) -> dict[str, Any]:
    """What came of one call: `ok`, and what Meshline makes of the answer."""
    connector = known.connector
    action = connector.actions[call.action]
    try:
        async with asyncio.timeout(action.timeout_seconds):
            match operation:
                case "handoff":
                    return await _handed_over(known, call, action)
                case "write":
                    made = await connector.create(call)
                    return {"ok": True, **_named(made)}
                case "lookup":
                    found = await connector.lookup(call)
                    return {"ok": True, "found": found is not None, **_named(found)}
                case "read":
                    record = await connector.read(call, record_id)
                    fields = dict(record.fields) if record else None
                    return {"ok": True, "found": record is not None, "fields": fields}
                case "undo":
                    await connector.undo(call, record_id)
                    return {"ok": True, "record_id": record_id}
    except ConnectorError as error:
        return {"ok": False, "means": word_of(error), "error": str(error)}
    except TimeoutError:
        late = f"it took longer than the action's timeout, {action.timeout_seconds:g} s"
        return {"ok": False, "means": "unknown", "error": late}
    finally:
        await connector.close()


def _named(made: str | Made | None) -> dict[str, Any]:
    """A record's id, and its address where that is known."""
    if not isinstance(made, Made):
        return {"record_id": made}
    url = {"url": made.seen.url} if made.seen.url else {}
    return {"record_id": made.record_id, **url}


def _is_harmless(purpose: str) -> bool:
    """Whether a request changes nothing."""
    return purpose in _HARMLESS or purpose.startswith("look-up of ")


def word_of(error: ConnectorError) -> str:
    """What an error means, in the definition's word for it."""
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "refused")


def shown(seen: list[tuple[Request, Answer | str]], masks: frozenset[str]) -> list[dict[str, Any]]:
    """Every exchange as JSON, secrets masked and bodies cut."""
    return [_exchange(request, answer, masks) for request, answer in seen]


async def _handed_over(known: Known, call: Outgoing, action: Action) -> dict[str, Any]:
    confirm = tuple(name for name in call.fields if not action.readable or name in action.readable)
    outcome = await hand_over(known.connector, call, confirm=confirm, look_first=False)
    word, told = type(outcome).__name__.lower(), asdict(outcome)
    seen = told.pop("seen", {})  # of which nothing is said that nobody found out
    told |= {name: value for name, value in seen.items() if value}
    return {"ok": word in {"confirmed", "receipted"}, "outcome": word, **told}


def _exchange(request: Request, answer: Answer | str, masks: frozenset[str]) -> dict[str, Any]:
    secret = request.purpose == "token"  # what a token's answer holds is all secret
    found: dict[str, Any] = {
        "purpose": request.purpose,
        "method": request.method,
        "url": masked(request.url, masks),
        "headers": {name: masked(value, masks) for name, value in request.headers.items()},
        "body": None if secret or request.body is None else _cut(request.body.decode(), masks),
    }
    if secret:
        found["headers"].pop("Authorization", None)
    if isinstance(answer, str):
        return {**found, "answer": {"error": masked(answer, masks)}}
    headers = {
        name: masked(value, masks)
        for name, value in answer.headers.items()
        if name.lower().startswith(_TELLING)
    }
    body = None if secret and answer.ok else _cut(text_of(answer), masks)
    return {**found, "answer": {"status": answer.status, "headers": headers, "body": body}}


def _cut(text: str, masks: frozenset[str]) -> str:
    text = masked(text, masks)
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
