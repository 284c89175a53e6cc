"""A store whose quarantine is full: the relay's claim and the worker's links, in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.desk.leads import broken_leads, good_leads
from connectors.registry import catalog
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.claim import ClaimLimits, Group, claim
from workers.app import Process
from workers.app import process as this_process
from workers.chain import dispatch, route, validate

GOOD = 200
"""Events that are delivered before the first that is broken."""

_EXAMPLE = Path(__file__).parents[2] / "workflows" / "lead-routing.yaml"
_FAKE = """\
connector: {name}
kind: fake
actions: {{{action}: {{idempotency: lookup, proof: read_back, open_fields: true}}}}
"""
_TOGETHER = 500  # events that are accepted by one commit, and claimed as one group


def environment(url: str, home: Path) -> dict[str, str]:
    """The settings of this process and of every command: the example's connectors are fakes."""
    folder = home / "connectors"
    folder.mkdir(parents=True)
    for name, action in (("crm", "upsert_contact"), ("helpdesk", "create_ticket")):
        (folder / f"{name}.yaml").write_text(_FAKE.format(name=name, action=action))
    return {
        "MESHLINE_DATABASE_URL": url,
        "MESHLINE_HOME": str(home),
        "MESHLINE_CONNECTORS": str(folder),
        "MESHLINE_GROUP_SIZE": str(_TOGETHER),
        "MESHLINE_BROKER_URL": "redis://127.0.0.1:1/0",  # nobody calls there
    }


@contextmanager
def filled(count: int, seed: int, progress: Callable[[int], None]) -> Iterator[Store]:
    """The example's store: good events were delivered, then `count` broken ones came.

    The settings have to be in the environment.
    """
    with closing(this_process()) as ours:
        _fill(ours, count, random.Random(seed), progress)
        yield ours.store


def _fill(ours: Process, count: int, rng: random.Random, progress: Callable[[int], None]) -> None:
    workflow = read_workflow(_EXAMPLE, catalog(ours.connectors))
    publish_workflow(ours.store, workflow, actor="bench")
    for _ in _taken_in(ours, good_leads(GOOD, rng)):
        pass
    for done in _taken_in(ours, broken_leads(count, rng)):
        progress(done)


def _taken_in(ours: Process, triggers: Iterator[Trigger]) -> Iterator[int]:
    """Accept some and drive them as far as they go, until none is left; how many are done."""
    done = 0
    while some := list(islice(triggers, _TOGETHER)):
        accept_batch(ours.store, some, actor="key:bench")
        for group in _claimed(ours):
            _drive(group)
        done += len(some)
        yield done


def _claimed(ours: Process) -> tuple[Group, ...]:
    config = ours.config
    limits = ClaimLimits(
        group_size=config.group_size,
        groups_in_flight=config.groups_in_flight,
        lease_seconds=config.lease_seconds,
        start_limit=config.start_limit,
        patience_seconds=config.patience_seconds,
    )
    with ours.store.write() as tx:
        return claim(tx, limits, ours.shelf).groups


def _drive(group: Group) -> None:
    """What the links of a chain do, without a broker between them."""
    ids = list(group.ids)
    for link in (validate, route):
        ids = link(ids, group.epoch) if ids else []
    if ids:
        dispatch(ids, group.epoch)
