"""One real call of a connector from the command line: what is asked, done, and shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from orchestrator.cli.connectors.shared_tokens import shared_tokens
from orchestrator.cli.terminal.screen import put
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.text.hints import did_you_mean

if TYPE_CHECKING:
    from connectors.kinds import Ports
    from connectors.registry import Known
    from connectors.try_call import Operation
    from orchestrator.domain.delivery.handoff import Outgoing

_OPERATIONS = ("handoff", "write", "lookup", "read", "undo")
_CHANGING = ("handoff", "write", "undo")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The call that is asked for."""

    source: str  # a file or a connector's name
    call: Outgoing
    operation: Operation
    record_id: str


def chosen(
    source: str,
    action: str,
    operation: str,
    field: list[str] | None,
    fields: str | None,
    *,
    key: str | None,
    record: str | None,
) -> Chosen:
    """The call that the options ask for. Raises Refused."""
    from orchestrator.domain.delivery.handoff import Outgoing

    if operation not in _OPERATIONS:
        fix = did_you_mean(operation, _OPERATIONS)
        raise Refused(f"there is no operation {operation}", field="--operation", fix=fix)
    if operation in ("read", "undo") and not record:
        raise Refused(f"{operation} needs a record", field="--record", fix="give its id")
    call = Outgoing(key=key or f"try-{uuid4()}", action=action, fields=_fields(field, fields))
    word = cast("Operation", operation)
    return Chosen(source=source, call=call, operation=word, record_id=record or "")


def run_call(asked: Chosen, *, dry_run: bool) -> dict[str, Any]:
    """Make the call; everything that went over the line, and what came of it, as JSON."""
    import asyncio

    from connectors.http.wire.client import HttpClient
    from connectors.kinds import Ports
    from connectors.try_call import Watched, shown, tried
    from orchestrator.domain.text.masking import masked_in

    watched = Watched(inner=HttpClient(), dry_run=dry_run)
    with shared_tokens() as tokens:
        known = _known(asked, Ports(client=lambda: watched, tokens=tokens), dry_run=dry_run)
        result = asyncio.run(tried(known, asked.call, asked.operation, record_id=asked.record_id))
    masks: frozenset[str] = getattr(known.connector, "masks", frozenset())
    held = dry_run and any(answer == "not sent: this is a dry run" for _, answer in watched.seen)
    return {
        "connector": known.connector.name,
        "action": asked.call.action,
        "operation": asked.operation,
        "key": asked.call.key,
        "dry_run": held,
        "exchanges": shown(watched.seen, masks),
        "result": masked_in(result, masks),
    }


def tell_call(done: dict[str, Any]) -> None:
    """The call for people."""
    put(f"{done['connector']}.{done['action']}, {done['operation']}, key {done['key']}")
    for one in done["exchanges"]:
        put(f"\n{one['purpose']}: {one['method']} {one['url']}")
        _tell_part(one)
        answer = one["answer"]
        put(f"answer: {answer.get('status') or answer['error']}")
        _tell_part(answer)
    put()
    if done["dry_run"]:
        put("the write was not sent; --yes sends it")
        return
    for name, value in done["result"].items():
        put(f"{name}: {'-' if value is None else value}")


def _tell_part(part: dict[str, Any]) -> None:
    for name, value in part.get("headers", {}).items():
        put(f"  {name}: {value}")
    if part.get("body"):
        put(f"  {part['body']}")


def _known(asked: Chosen, ports: Ports, *, dry_run: bool) -> Known:
    """The connector that is asked for, and can do it. Raises NotFound and Refused."""
    known = _found(asked.source, ports)
    if asked.call.action not in known.connector.actions:
        fix = did_you_mean(asked.call.action, known.connector.actions)
        problem = f"{known.connector.name} has no action {asked.call.action}"
        raise NotFound(problem, field="--action", fix=fix)
    if dry_run and known.kind != "http" and asked.operation in _CHANGING:
        problem = f"only an HTTP connector can show a {asked.operation} without making it"
        raise Refused(problem, fix="--yes makes it")
    return known


def _found(source: str, ports: Ports) -> Known:
    from connectors.definition_file import read_definition
    from connectors.registry import known_by, known_connectors
    from orchestrator.settings import settings

    path = Path(source)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return known_by(read_definition(path), path, ports)
    known = known_connectors(settings().connectors, ports)
    if source not in known:
        raise NotFound(f"there is no connector {source}", fix=did_you_mean(source, known))
    return known[source]


def _fields(pairs: list[str] | None, document: str | None) -> dict[str, object]:
    from orchestrator.domain.documents import strict_json

    fields: dict[str, object] = {}
    if document is not None:
        whole = strict_json.loads(document, field="--fields")
        if not isinstance(whole, dict):
            raise Refused(
                "it is not a JSON object", field="--fields", fix='write {"name": "value"}'
            )
        fields |= whole
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise Refused(f"{pair} is not a field", field="--field", fix="write NAME=TEXT")
        fields[name] = text
    return fields
