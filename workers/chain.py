"""The chain: validate | route | dispatch, for a group of events at once.

A message carries event ids and the epoch, never a payload. Each task loads its events, decides on
them with pure functions, and saves all outcomes in one commit. An event that is not where the
message expects it, or not under its epoch any more, is simply not among those loaded.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import orjson
from celery import Task
from kombu.messaging import Producer

from orchestrator.domain.delivery.retries import backoff
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Routed, Valid
from orchestrator.domain.lifecycle import Stage, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.pipeline.route import route as decide_route
from orchestrator.pipeline.validate import validate_or_amend as decide_valid
from orchestrator.store.approvals.asking import Asking, ask_for_approvals
from orchestrator.store.database.engine import Tx, ring_after_commit
from orchestrator.store.drive.claim import Group, drive_again, finish_unless_driven
from orchestrator.store.drive.cut_short import put_back
from orchestrator.store.drive.stages import (
    Loaded,
    Saving,
    load_group,
    save_amended,
    save_rejected,
    save_routed,
    save_stage_retry,
    save_valid,
)
from orchestrator.telemetry import StageSaved, read_kinds
from workers.app import app, process
from workers.deciding import DECIDES_ON_NOTHING
from workers.dispatch import dispatch_group
from workers.telemetry import emit_stage

log = logging.getLogger(__name__)

Verdict = TypeVar("Verdict")

TURN_SECONDS = 0.5
"""How long a task decides on its group; the rest is due again, behind what others have waiting.

An ordinary group of 200 takes some 15 ms. One whose payloads are as dear as they may be would take
a minute, and other clients' events would wait for it.
"""


class Link(Task[Any, Any]):
    """A task of the chain, which hands its events on to the next."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Put this link on the broker.

        A link that a broker does not take from the one before makes its events due again, at once:
        the stage is saved, and nobody would drive them until their lease ends. To the relay, which
        brings its own producer, it raises the transport's errors.
        """
        # RabbitMQ would take a message for a queue that somebody deleted, and lose it.
        options.setdefault("mandatory", True)
        try:
            return super().apply_async(args, kwargs, **options)
        except Exception as error:
            if options.get("producer") is not None:
                raise
            ids, epoch = args
            log.warning("the broker does not take the next link: %s", error)
            with process().store.write(ring=True) as tx:
                drive_again(tx, ids, epoch)
            return None


@app.task(name="meshline.validate", bind=True, base=Link)
def validate(self: Task[Any, Any], ids: list[str], epoch: int) -> list[str]:
    """Hold each payload against the contract; answers the events that go on."""
    moved = _validate_group(ids, _saving(Stage.VALIDATE, epoch))
    return _go_on(self, Stage.ROUTE, moved, epoch)


@app.task(name="meshline.route", bind=True, base=Link)
def route(self: Task[Any, Any], ids: list[str], epoch: int) -> list[str]:
    """Compute the facts, find the route, write down what is to be sent; answers who goes on."""
    moved = _route_group(ids, _saving(Stage.ROUTE, epoch))
    return _go_on(self, Stage.DISPATCH, moved, epoch)


@app.task(name="meshline.dispatch", bind=True, base=Link)
def dispatch(_: Task[Any, Any], ids: list[str], epoch: int) -> None:
    """Make the deliveries and prove them."""
    dispatch_group(process(), ids, _saving(Stage.DISPATCH, epoch))


LINKS: Mapping[Stage, Task[Any, Any]] = {
    Stage.VALIDATE: validate,
    Stage.ROUTE: route,
    Stage.DISPATCH: dispatch,
}


def publish(group: Group, producer: Producer) -> None:
    """Put a group's chain on the broker, from its stage on; in one message.

    The ids are in it once: each link hands those that go on to the next.

    Raises the transport's errors when the broker does not take it.
    """
    stages = list(LINKS)[list(LINKS).index(group.stage) :]
    ids, epoch = list(group.ids), group.epoch
    names = {stage: f"{_name(ids)}.{stage}.{epoch}" for stage in stages}
    first = LINKS[stages[0]].s(ids, epoch).set(
        task_id=names[stages[0]], argsrepr=_shown(stages[0], ids, epoch), kwargsrepr=""
    )  # fmt: skip
    rest = [LINKS[stage].s(epoch).set(task_id=names[stage], kwargsrepr="") for stage in stages[1:]]
    # `chain.apply_async(producer=…)` leaves the producer out; this is what it does otherwise.
    first.apply_async(chain=list(reversed(rest)) or None, producer=producer, retry=False)


def _name(ids: Sequence[str]) -> str:
    return f"{ids[0]}+{len(ids) - 1}" if len(ids) > 1 else ids[0]


def _shown(stage: Stage, ids: Sequence[str], epoch: int) -> str:
    """A task's arguments as Flower shows them."""
    return f"{stage} events={','.join(ids)} epoch={epoch}"


def _validate_group(ids: list[str], saving: Saving) -> list[str]:
    began, source = time.monotonic(), State.ACCEPTED
    until = _patience_end(began)
    loaded = _load(ids, saving.epoch, source, until)
    made = _decide(ids, loaded, saving.epoch, decide_valid)

    def save(tx: Tx) -> tuple[list[str], dict[str, int]]:
        made.tries += 1
        kept: list[str] = []
        amended = {one: said for one, said in made.verdicts.items() if isinstance(said, Amended)}
        if loaded and amended:
            kept = save_amended(tx, amended, loaded.workflow.workflow, saving)
        valid = [one for one, said in made.verdicts.items() if isinstance(said, Valid)]
        moved = save_valid(tx, [*valid, *kept], saving)
        passed = [*valid, *amended]
        rest = _save_rest(tx, ids, loaded, made, source, saving, passed=passed, going_on=moved)
        return moved, {"validated": len(moved) - len(kept), "amended": len(kept), **rest}

    moved, outcomes = process().store.write_patiently(save, until=until)
    if StageSaved in read_kinds:
        emit_stage(Stage.VALIDATE, loaded, outcomes, since=began)
    return moved


def _route_group(ids: list[str], saving: Saving) -> list[str]:
    began, source = time.monotonic(), State.VALIDATED
    until = _patience_end(began)
    loaded = _load(ids, saving.epoch, source, until)
    made = _decide(ids, loaded, saving.epoch, decide_route)

    def save(tx: Tx) -> tuple[list[str], dict[str, int]]:
        made.tries += 1
        routed = {one: said for one, said in made.verdicts.items() if isinstance(said, Routed)}
        moved = save_routed(tx, routed, loaded, saving) if loaded else []
        asked = _ask(tx, routed, moved, loaded, saving) if loaded else set()
        going_on = [one for one in moved if one not in asked] if asked else moved
        passed = list(routed)
        rest = _save_rest(tx, ids, loaded, made, source, saving, passed=passed, going_on=going_on)
        told = {"routed": len(going_on), **rest}
        return going_on, told | {"awaiting_approval": len(asked)} if asked else told

    moved, outcomes = process().store.write_patiently(save, until=until)
    if StageSaved in read_kinds:
        emit_stage(Stage.ROUTE, loaded, outcomes, since=began)
    return moved


def _ask(
    tx: Tx, routed: Mapping[str, Routed], moved: Sequence[str], loaded: Loaded, saving: Saving
) -> set[str]:
    """Let those wait whose route asks for an approval; a workflow without one costs nothing."""
    if not moved:
        return set()
    asking = Asking(workflow=loaded.workflow, saving=saving, digests=process().definitions.get)
    routes = {one: routed[one].route + 1 for one in moved}
    again = [one for one in moved if one in loaded.replayed]
    return set(ask_for_approvals(tx, routes, asking, again=again))


def _load(ids: list[str], epoch: int, state: State, until: float) -> Loaded | None:
    load = partial(load_group, ids=ids, epoch=epoch, state=state, shelf=process().shelf)
    return process().store.read_patiently(load, until=until)


def _patience_end(began: float) -> float:
    """Until when a task outlasts an absence of the store: the lease would cost it far more time."""
    return began + process().config.task_time_limit_seconds / 2


@dataclass(kw_only=True)
class _Decisions(Generic[Verdict]):
    """What one turn decided on a group."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)  # the error of each that broke
    left: list[str] = field(default_factory=list)  # those that the turn did not get to
    tries: int = 0  # to save all this


def _decide(
    ids: Sequence[str],
    loaded: Loaded | None,
    epoch: int,
    decide: Callable[[object, CompiledWorkflow], Verdict],
) -> _Decisions[Verdict]:
    """The verdict on each event, one at least, until the turn is over."""
    made: _Decisions[Verdict] = _Decisions()
    if loaded is None:
        return made
    places = {event_id: place for place, event_id in enumerate(ids)}
    over = time.monotonic() + TURN_SECONDS
    note = process().note
    try:
        for event_id, body in loaded.bodies.items():
            note(epoch, places[event_id])
            try:
                made.verdicts[event_id] = decide(orjson.loads(body), loaded.workflow)
            except Exception as error:  # one event must not hold up its group
                log.exception("event %s: the decision broke", event_id)
                made.broken[event_id] = f"{type(error).__name__}: {error}"
            if time.monotonic() > over:
                break
    finally:
        note(*DECIDES_ON_NOTHING)
    decided = made.verdicts.keys() | made.broken.keys()
    made.left = [event_id for event_id in loaded.bodies if event_id not in decided]
    return made


def _save_rest(
    tx: Tx,
    ids: Sequence[str],
    loaded: Loaded | None,
    made: _Decisions[Any],
    source: State,
    saving: Saving,
    *,
    passed: Sequence[str],
    going_on: Sequence[str],
) -> Counter[str]:
    """Quarantine what was rejected, put off what broke, end the group where nothing goes on.

    `passed` are those that were to go on, `going_on` those that do. Answers how many events came to
    what.
    """
    outcomes: Counter[str] = Counter()
    if loaded:
        rejected = {one: verdict for one, verdict in made.verdicts.items()
                    if isinstance(verdict, Rejected)}  # fmt: skip
        if rejected:
            stopped = save_rejected(tx, rejected, loaded.workflow, source=source, saving=saving)
            outcomes["quarantined"] = len(stopped)
        for event_id, error in made.broken.items():
            outcomes[_save_broken(tx, loaded, event_id, error, source, saving)] += 1
        if made.left:
            put_back(tx, made.left, epoch=saving.epoch, source=source)
            outcomes["handed_back"] = len(made.left)
    if not going_on and passed and made.tries > 1:
        # They went on in a commit whose answer was lost: the chain does not know of it.
        drive_again(tx, passed, saving.epoch)
    elif not going_on:
        finish_unless_driven(tx, ids, saving.epoch, source)
    if made.left or not going_on:
        ring_after_commit(tx)
    return outcomes


def _save_broken(
    tx: Tx, loaded: Loaded, event_id: str, error: str, source: State, saving: Saving
) -> str:
    """Put one event off, or in quarantine after its last attempt; says which."""
    failed = loaded.attempts[event_id]
    wait = backoff(loaded.workflow.workflow.retry_policy, failed + 1, random.random())
    if wait is None:
        verdict = Rejected(reason=Reason.RETRIES_EXHAUSTED, detail=error)
        save_rejected(tx, {event_id: verdict}, loaded.workflow, source=source, saving=saving)
        return "quarantined"
    save_stage_retry(tx, event_id, saving, source=source, failed=failed, wait=wait, error=error)
    return "retried"


def _saving(stage: Stage, epoch: int) -> Saving:
    return Saving(
        actor=f"worker:{stage}", epoch=epoch, lease_seconds=process().config.lease_seconds
    )


def _go_on(task: Task[Any, Any], following: Stage, moved: list[str], epoch: int) -> list[str]:
    """Let the chain go on with the events that it still drives, if there are any."""
    if not moved:
        task.request.chain = None
    elif task.request.chain:
        task.request.chain[-1]["options"]["argsrepr"] = _shown(following, moved, epoch)
    return moved
