"""What a source makes of a saved request: whether it is verified, and what it becomes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.open_store import opened_store, sources_folder
from orchestrator.cli.terminal.screen import put
from orchestrator.domain.errors import MeshlineError, NotFound, Refused

if TYPE_CHECKING:
    from orchestrator.domain.sources.reading import Bounds, HookEvent
    from orchestrator.domain.sources.request import HookRequest
    from orchestrator.domain.sources.source import Source


@dataclass(frozen=True, kw_only=True)
class TriedEvent:
    """One event of the request."""

    type: str | None
    idempotency_key: str | None
    workflow: str | None  # null: no live workflow takes the type, or there is no store here
    would: str  # what becomes of it


@dataclass(frozen=True, kw_only=True)
class TriedRequest:
    """What the door would make of a request."""

    source: str
    client: str
    verified: bool
    by: str | None  # what proved it, and with which secret
    refused: str | None  # why it would be refused
    handshake: str | None  # what it would be answered, where it only asks whether we are there
    events: tuple[TriedEvent, ...]


def try_request(source: Source, request: HookRequest, *, now: float | None) -> TriedRequest:
    """What the door would make of it; `now` in seconds since 1970, None: the clock's."""
    from connectors.sources.registry import secrets_of
    from orchestrator.domain.sources.reading import answer_to_handshake, read_events, read_payload
    from orchestrator.domain.sources.schemes import SecretUnusable, verify

    secrets = secrets_of(source)
    if secrets.closed:
        return _refused(source, f"the source is closed: {'; '.join(secrets.missing)}")
    moment = time.time() if now is None else now
    try:
        proof = verify(source.scheme, request, secrets.values, now=moment)
    except SecretUnusable as error:
        return _refused(source, f"the source is closed: {error}")
    except Refused as error:
        return _refused(source, str(error))
    by = f"{proof.by}, secret {proof.secret} of {len(secrets.values)}"
    bounds = _bounds()
    try:
        payload = read_payload(source.rules, request, bounds)
        handshake = answer_to_handshake(source.rules, request, payload)
        events = read_events(source.rules, request, payload, bounds) if handshake is None else []
    except Refused as error:
        return _refused(source, str(error), by=by)
    return TriedRequest(
        source=source.name,
        client=source.client,
        verified=True,
        by=by,
        refused=None,
        handshake=handshake,
        events=tuple(_tried(source, one) for one in events),
    )


def _refused(source: Source, why: str, *, by: str | None = None) -> TriedRequest:
    return TriedRequest(
        source=source.name,
        client=source.client,
        verified=by is not None,
        by=by,
        refused=why,
        handshake=None,
        events=(),
    )


def _bounds() -> Bounds:
    from orchestrator.domain.sources.reading import Bounds
    from orchestrator.settings import settings

    config = settings()
    return Bounds(depth=config.max_depth, values=config.max_values, events=config.max_batch_events)


def _tried(source: Source, event: HookEvent) -> TriedEvent:
    workflow, would = _outcome(source, event)
    return TriedEvent(type=event.type, idempotency_key=event.key, workflow=workflow, would=would)


def _outcome(source: Source, event: HookEvent) -> tuple[str | None, str]:
    """The workflow that takes an event, and what it would do with it."""
    import orjson

    from orchestrator.domain.delivery.verdicts import Rejected
    from orchestrator.pipeline.trial import try_payload
    from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow, trigger_holder

    if event.type is None:
        return None, "would be quarantined as no_workflow: the request says no type"
    try:
        with opened_store() as store, store.read() as tx:
            name = trigger_holder(tx, source.client, event.type)
            live = None if name is None else live_workflow(tx, source.client, name)
            workflow = None if live is None else WorkflowShelf().take(tx, live.id)
    except MeshlineError as error:
        return None, f"is not known here: {error}"
    if live is None or workflow is None:
        return None, "would be quarantined as no_workflow: no live workflow takes the type"
    routed = try_payload(orjson.loads(event.payload), workflow).outcome
    if isinstance(routed, Rejected):
        return live.name, f"would be quarantined as {routed.reason}: {routed.detail}"
    to = ", ".join(dict.fromkeys(one.destination for one in routed.deliveries))
    return live.name, f"would be routed to {to}"


def tell_request(tried: TriedRequest) -> None:
    """The same for people."""
    put(f"source {tried.source} of client {tried.client}")
    put(f"  verified: {'yes, ' + tried.by if tried.by else 'no'}")
    if tried.refused is not None:
        put(f"  would be refused: {tried.refused}")
    if tried.handshake is not None:
        put(f"  a handshake, which is answered {tried.handshake!r}")
    for one in tried.events:
        put(f"  type: {one.type or '-'}")
        put(f"  idempotency key: {one.idempotency_key or '- (each request is its own event)'}")
        put(f"  {one.workflow or 'no workflow'}: {one.would}")


def chosen_source(name: str) -> Source:
    """The source of a file, or the one of the folder that has the name. Raises NotFound."""
    from pathlib import Path

    from connectors.sources.file import read_source
    from connectors.sources.registry import load_sources
    from orchestrator.domain.text.hints import did_you_mean

    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return read_source(path)
    known = load_sources(sources_folder())
    if name not in known:
        fix = did_you_mean(name, known) if known else "set MESHLINE_SOURCES, or name a file"
        raise NotFound(f"there is no source {name}", fix=fix)
    return known[name]
