"""Messages of the release before are understood: nothing of them is poison, nothing is lost.

Its relay gave each link of a chain ids and epoch of its own; here a link gets them from the one
before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from orchestrator.domain.lifecycle import Stage
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.schema import dead_letters
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.stages import Saving, save_valid
from tests.integration.pairs import Pair
from tests.integration.quick_leads import HOURS, publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import LIMITS, claim_groups, drive_to_routed, lead

pytestmark = pytest.mark.processes

LEADS = 20


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        running.environment |= HOURS
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        yield running


def test_messages_of_the_release_before_drive_their_events_to_the_end(system: System) -> None:
    claimed = {stage: claim(system) for stage in (Stage.VALIDATE, Stage.ROUTE, Stage.DISPATCH)}
    for stage, group in claimed.items():
        drive_to(stage, system, group)

    system.start_relay()  # for retries; the lease keeps it away from these events
    system.start_worker()
    for stage, group in claimed.items():
        put_on_the_broker(system, stage, group.ids, group.epoch)

    ids = [one for group in claimed.values() for one in group.ids]
    assert system.wait_until_settled(len(ids), within=50)["delivered"] == len(ids)
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    with system.store.read() as tx:
        assert tx.execute(select(func.count()).select_from(dead_letters)).scalar_one() == 0


def claim(system: System) -> Group:
    """Some new leads, claimed as a relay does it."""
    leads = [lead(number, tier="enterprise") for number in range(LEADS)]
    accept_batch(system.store, leads, actor="key:test")
    (group,) = claim_groups(system.store, replace(LIMITS, lease_seconds=7200))
    assert len(group.ids) == LEADS
    return group


def drive_to(stage: Stage, system: System, group: Group) -> None:
    """What the links before this one have done."""
    if stage is Stage.ROUTE:
        saving = Saving(actor="worker:validate", epoch=group.epoch, lease_seconds=7200)
        with system.store.write() as tx:
            save_valid(tx, group.ids, saving)
    elif stage is Stage.DISPATCH:
        drive_to_routed(system.store, group)


def put_on_the_broker(system: System, stage: Stage, ids: Sequence[str], epoch: int) -> None:
    """Publish a chain from `stage` on, byte for byte as the release before did."""
    stages = [Stage.VALIDATE, Stage.ROUTE, Stage.DISPATCH]
    following = stages[stages.index(stage) + 1 :]
    links = [_link(one, ids, epoch) for one in reversed(following)]
    embedded = {"callbacks": None, "errbacks": None, "chain": links or None, "chord": None}
    with system.broker_connection() as connection, connection.Producer() as producer:
        producer.publish(
            [[list(ids), epoch], {}, embedded],
            routing_key="meshline",
            serializer="json",
            headers=_headers(stage, ids, epoch),
            correlation_id=_name(stage, ids, epoch),
            reply_to=str(uuid.uuid4()),
            delivery_mode=2,
        )


def _link(stage: Stage, ids: Sequence[str], epoch: int) -> dict[str, Any]:
    return {
        "task": f"meshline.{stage}",
        "args": [list(ids), epoch],
        "kwargs": {},
        "options": {
            "task_id": _name(stage, ids, epoch),
            "argsrepr": _shown(stage, ids, epoch),
            "kwargsrepr": "",
        },
        "subtask_type": None,
        "immutable": True,
    }


def _headers(stage: Stage, ids: Sequence[str], epoch: int) -> dict[str, Any]:
    name = _name(stage, ids, epoch)
    return {
        "lang": "py",
        "task": f"meshline.{stage}",
        "id": name,
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [45.0, None],
        "root_id": name,
        "parent_id": None,
        "argsrepr": _shown(stage, ids, epoch),
        "kwargsrepr": "",
        "origin": "gen1@host",
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def _name(stage: Stage, ids: Sequence[str], epoch: int) -> str:
    return f"{ids[0]}+{len(ids) - 1}.{stage}.{epoch}"


def _shown(stage: Stage, ids: Sequence[str], epoch: int) -> str:
    return f"{stage} events={','.join(ids)} epoch={epoch}"
