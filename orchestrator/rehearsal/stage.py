"""The process of a rehearsal: store, broker, relay and worker of its own, in its own home.

`python -m orchestrator.rehearsal.stage` reads what it is given from `given.json` in its home and
says on its standard output how far it is. It has no address of the live store. Where whoever
started it is gone, its standard input ends, and so does it; its home goes with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing

import orjson

from orchestrator.domain.access.actor import process
from orchestrator.domain.changes.subject import definition_digest
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.event import Trigger, destination_of
from orchestrator.domain.lifecycle import DONE_DELIVERIES, STAGE_OF, State
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.rehearsal.homes import GIVEN, HOMES
from orchestrator.rehearsal.messages import Given, Line, Outcome, Sent, Went, read_given, written
from orchestrator.settings import Settings, settings
from orchestrator.starting import prepare_process
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.workflow_versions import show_workflow

_ACTOR = process("rehearsal")
_LOOK_SECONDS = 0.2
_ON_THEIR_WAY = frozenset(STAGE_OF)


def main() -> int:
    """Run one rehearsal; its exit code."""
    prepare_process()
    config = settings()
    if config.home.parent.name != HOMES or not (config.home / GIVEN).is_file():
        _say(Line(refused=f"{config.home} is not the home of a rehearsal"))
        return 1  # and nothing of it is removed
    threading.Thread(target=_end_with_caller, daemon=True).start()
    try:
        _say(Line(outcome=_rehearsed(config, read_given((config.home / GIVEN).read_bytes()))))
    except MeshlineError as error:
        _say(Line(refused=str(error)))
        return 1
    finally:
        shutil.rmtree(config.home, ignore_errors=True)
    return 0


def _end_with_caller() -> None:
    """Leave as if asked to, once nobody holds the other end of the standard input."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _say(line: Line) -> None:
    sys.stdout.buffer.write(written(line))
    sys.stdout.buffer.flush()


def _started(what: str, _where: str) -> None:
    _say(Line(says=f"started {what}"))


def _rehearsed(config: Settings, given: Given) -> Outcome:
    workflow = Workflow.from_published(orjson.loads(given.definition))
    with Supervisor(config.home, grace=2.0) as supervisor:
        services = Services(supervisor=supervisor, config=config)
        services.start_chain(_started, sandbox=given.sandbox)
        with closing(open_store(config.store_url)) as store:
            publish_workflow(store, workflow, actor=_ACTOR)
            ids = _accepted(store, given)
            _wait(store, given, len(ids))
            return _outcome(store, workflow, ids)


def _accepted(store: Store, given: Given) -> list[str]:
    triggers = [
        Trigger(
            client=given.client,
            type=given.trigger,
            payload=payload,
            digest=strict_json.digest(orjson.loads(payload)),
            idempotency_key=f"rehearsal-{number}",
        )
        for number, payload in enumerate(given.payloads)
    ]
    return [one.id for one in accept_batch(store, triggers, actor=_ACTOR.name)]


def _wait(store: Store, given: Given, events: int) -> None:
    """Until every event is at rest, or the time is over."""
    end = time.monotonic() + given.seconds
    told = -1
    while True:
        with store.read() as tx:
            counts = count_states(tx)
        done = events - sum(counts[one] for one in _ON_THEIR_WAY)
        if done != told:
            _say(Line(says="rehearsing", done=done))
            told = done
        if done >= events or time.monotonic() > end:
            return
        time.sleep(_LOOK_SECONDS)


def _outcome(store: Store, workflow: Workflow, ids: Sequence[str]) -> Outcome:
    with store.read() as tx:
        kept = show_workflow(tx, workflow.client, workflow.name)
        views = [show_event(tx, one) for one in ids]
    definition = {} if kept is None else kept.shown.definition
    return Outcome(
        definition=definition_digest(definition),
        events=tuple(_went(at, one) for at, one in enumerate(views) if one is not None),
    )


def _went(number: int, event: EventView) -> Went:
    return Went(
        number=number,
        state=event.state,
        reason=event.reason if event.state == State.QUARANTINED else None,
        proven=_proven(event),
        deliveries=tuple(
            Sent(
                destination=one.destination,
                connector=one.connector,
                action=one.action,
                key=one.key,
                state=one.state,
                send=one.send,
            )
            for one in event.deliveries
        ),
    )


def _proven(event: EventView) -> bool:
    """Whether the audit names who brought the trigger, who decided, and who made each delivery."""
    said = [one for one in event.history if one.actor]
    acts = {one.action for one in said}
    made = {one.destination for one in event.deliveries if one.state in DONE_DELIVERIES}
    proven = {one.destination for one in said if one.action in _MADE}
    decided = not acts.isdisjoint(_DECISIONS)
    return "accept" in acts and decided and made <= {destination_of(one or "") for one in proven}


_MADE = frozenset({"confirm", "receipt"})
_DECISIONS = frozenset({"route", "quarantine", "request_approval"})


if __name__ == "__main__":
    sys.exit(main())
