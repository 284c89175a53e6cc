"""Rehearse a change: gather, run it in a process of its own, keep what it found."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from connectors.registry import Known, known_connectors
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.changes.rehearsing.result import (
    Rehearsal,
    RehearsedDestination,
    RehearsedStop,
)
from orchestrator.domain.delivery.handoff import Outgoing, Rendering
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import ConnectorError, MeshlineError
from orchestrator.domain.lifecycle import DONE_DELIVERIES, STAGE_OF, DeliveryState, State
from orchestrator.domain.workflows.checks.environments import DRY
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.rehearsing.keep import Rehearsed, keep_rehearsal
from orchestrator.operations.changes.rehearsing.material import EVENTS, Material, gather_material
from orchestrator.operations.replay.plan import routed_now
from orchestrator.rehearsal.homes import GIVEN, new_home
from orchestrator.rehearsal.messages import Given, Line, Outcome, Sent, Went, read_line, written
from orchestrator.rehearsal.replacing import SANDBOX, Replaced, replacements, write_definitions
from orchestrator.starting import write_private
from orchestrator.store.database.engine import Store

LONGEST_SECONDS = 120.0
"""How long the events of one rehearsal may take together."""

_START_SECONDS = 120.0  # until its processes run; a cold machine imports slowly
_STOP_SECONDS = 30.0
_EXAMPLES = 3

Tell = Callable[[str, int, int], None]
"""Hears what is done, and how many of how many events are at their end."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants rehearsed, and where."""

    home: Path  # below which the throw-away home is made
    connectors: Path | None  # the folder of the definitions that the workflow uses
    events: int = EVENTS
    seconds: float = LONGEST_SECONDS
    file: Workflow | None = None  # the change's file: its tests are rehearsed too


def rehearse_change(
    store: Store,
    token: str,
    *,
    actor: Actor,
    asked: Asked,
    tell: Tell = lambda _, __, ___: None,
) -> Rehearsed:
    """Run a change through the real chain where nothing is real, and keep what was found.

    The store is read before and written after; the process between has no address of it. Raises
    NotFound, Forbidden, Refused, StartupFailed, and MeshlineError where the process fails.
    """
    material = gather_material(store, token, actor=actor, events=asked.events, file=asked.file)
    known = known_connectors(asked.connectors)
    workflow = Workflow.from_published(orjson.loads(material.definition))
    replaced = replacements(workflow, known)
    outcome = _run(material, replaced, asked, tell)
    if outcome.definition != material.digest:
        raise MeshlineError(f"change {token} came out of its rehearsal as another definition")
    found = _found(material, workflow, replaced, known, outcome)
    return keep_rehearsal(store, material, found, actor=actor)


def _run(material: Material, replaced: Sequence[Replaced], asked: Asked, tell: Tell) -> Outcome:
    given = Given(
        definition=material.definition,
        client=material.client,
        trigger=material.trigger,
        payloads=tuple(orjson.dumps(one.payload).decode() for one in material.cases),
        sandbox=any(one.instead == SANDBOX for one in replaced),
        seconds=asked.seconds,
    )
    total = len(given.payloads)
    with new_home(asked.home) as home:
        write_definitions(replaced, home / "connectors")
        write_private(home / GIVEN, written(given).decode())
        with _process(home, _environment(home, replaced), asked.seconds) as lines:
            for line in lines:
                if line.refused is not None:
                    raise MeshlineError(f"the rehearsal did not run: {line.refused}")
                if line.outcome is not None:
                    return line.outcome
                tell(line.says, line.done, total)
    raise MeshlineError(
        f"the rehearsal ended before it was done: it was killed, or took longer than"
        f" {asked.seconds + _START_SECONDS:g} s"
    )


@contextmanager
def _process(
    home: Path, environment: Mapping[str, str], seconds: float
) -> Iterator[Iterator[Line]]:
    """What the process of a rehearsal says; it has ended when the block has."""
    process = subprocess.Popen(
        (sys.executable, "-m", "orchestrator.rehearsal.stage"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=home,
        env=environment,
        start_new_session=True,  # Ctrl-C is ours to hear
    )
    late = threading.Timer(seconds + _START_SECONDS, process.terminate)
    late.start()
    try:
        yield map(read_line, process.stdout or ())
    finally:
        late.cancel()
        if process.stdin is not None:
            process.stdin.close()  # by which it ends
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # its children end with it
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _environment(home: Path, replaced: Collection[Replaced]) -> dict[str, str]:
    """Ours without any setting: no address of the live store, its broker or its home.

    What the definitions of the rehearsal read stays, such as a password of a sandbox account.
    """
    read = frozenset().union(*(one.variables for one in replaced))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("MESHLINE_") or name in (*read, "MESHLINE_PROXY")
    }
    return kept | {
        "MESHLINE_HOME": str(home),
        "MESHLINE_CONNECTORS": str(home / "connectors"),
        "MESHLINE_WORKER_PROCESSES": "1",  # dry destinations remember in one process
        "MESHLINE_STOP_SECONDS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (_CODE, os.environ.get("PYTHONPATH")))),
    }


_CODE = str(Path(__file__).parents[2])  # it runs in a folder of its own


def _found(
    material: Material,
    workflow: Workflow,
    replaced: Sequence[Replaced],
    known: Mapping[str, Known],
    outcome: Outcome,
) -> Rehearsal:
    states = Counter(one.state for one in outcome.events)
    return Rehearsal(
        definition=outcome.definition,
        events=len(outcome.events),
        real=material.real,
        replaced=material.replaced,
        left_out=material.left_out,
        delivered=states[State.DELIVERED],
        awaiting=states[State.AWAITING_APPROVAL],
        unfinished=sum(states[one] for one in STAGE_OF),
        unproven=sum(not one.proven for one in outcome.events if one.state not in STAGE_OF),
        destinations=tuple(_destinations(workflow, replaced, known, outcome)),
        stops=tuple(_stops(material, workflow, outcome.events)),
    )


def _destinations(
    workflow: Workflow,
    replaced: Sequence[Replaced],
    known: Mapping[str, Known],
    outcome: Outcome,
) -> Iterator[RehearsedDestination]:
    instead = {one.connector: one.instead for one in replaced}
    sent = [one for event in outcome.events for one in event.deliveries]
    for name, said in workflow.destinations.items():
        mine = [one for one in sent if one.destination == name]
        dry = instead[said.connector] == DRY
        yield RehearsedDestination(
            destination=name,
            connector=said.connector,
            instead=instead[said.connector],
            made=sum(one.state in DONE_DELIVERIES for one in mine),
            failed=sum(one.state == DeliveryState.FAILED for one in mine),
            unmade=sum(not _can_be_made(one, known) for one in mine) if dry else 0,
        )


def _can_be_made(one: Sent, known: Mapping[str, Known]) -> bool:
    connector = known[one.connector].connector
    if not isinstance(connector, Rendering):  # of a package, or the fake: nothing is rendered
        return True
    try:
        connector.render(Outgoing(key=one.key, action=one.action, fields=one.send))
    except ConnectorError:
        return False
    return True


def _stops(
    material: Material, workflow: Workflow, events: Sequence[Went]
) -> Iterator[RehearsedStop]:
    compiled = compile_workflow(workflow)
    names: dict[tuple[str, bool], list[str]] = {}
    for one in events:
        if one.reason is None:
            continue
        case = material.cases[one.number]
        decided = routed_now(case.payload, compiled)
        by_itself = isinstance(decided, Rejected) and decided.reason == one.reason
        names.setdefault((one.reason, by_itself), []).append(case.name)
    for (reason, by_itself), found in sorted(names.items(), key=lambda one: -len(one[1])):
        yield RehearsedStop(
            reason=reason,
            decided=by_itself,
            events=len(found),
            examples=tuple(found[:_EXAMPLES]),
        )
