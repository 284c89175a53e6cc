"""A store whose quarantine is full: the relay's claim and the worker's links, in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.desk.leads import CLIENT, broken_leads, good_leads
from connectors.registry import catalog
from orchestrator.domain.access.actor import login
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.claim import ClaimLimits, Group, claim
from tests.servers.postgres import embedded_postgres
from workers.app import Process
from workers.app import process as this_process
from workers.chain import dispatch, route, validate

POSTGRES, SQLITE = "postgres", "sqlite"

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
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of a new database of a kind, for the length of the block."""
    if kind == SQLITE:
        yield f"sqlite:///{folder / 'desk.db'}"
        return
    with embedded_postgres() as server:
        yield server.url


@contextmanager
def filled(count: int, seed: int, progress: Callable[[int], None]) -> Iterator[Store]:
    """The example's store: good events were delivered, then `count` broken ones came.

    The settings have to be in the environment.
    """
    with opened_process() as ours:
        publish_example(ours)
        rng = random.Random(seed)
        take_in(ours, good_leads(GOOD, rng))
        take_in(ours, broken_leads(count, rng), progress)
        yield ours.store


@contextmanager
def opened_process() -> Iterator[Process]:
    """What a worker's process holds open, of the settings in the environment."""
    with closing(this_process()) as ours:
        yield ours
    this_process.cache_clear()


def publish_example(ours: Process, client: str = CLIENT) -> None:
    """Publish the example's workflow, as if it were this client's."""
    text = _EXAMPLE.read_text("utf-8").replace(f"client: {CLIENT}", f"client: {client}")
    workflow = parse_workflow(text, name=client, catalog=catalog(ours.connectors))
    publish_workflow(ours.store, workflow, actor=login("bench"))


def take_in(
    ours: Process, triggers: Iterator[Trigger], progress: Callable[[int], None] = lambda _: None
) -> None:
    """Accept some and drive them as far as they go, until none is left; `progress`: how many."""
    done = 0
    while some := list(islice(triggers, _TOGETHER)):
        accept_batch(ours.store, some, actor="key:bench")
        for group in _claimed(ours):
            _drive(group)
        done += len(some)
        progress(done)


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
