"""Jobs in real keepers: killed, two at once, stopped and resumed; each event is replayed once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.store.clocks.alert_views import list_alerts
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, events
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.jobs import JobRow, find_job
from tests.cli.desk import validate_leads
from tests.leads import accept_leads
from tests.plans import frozen
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

EVENTS = 120
SLOW = 20.0  # events in a second, twenty a step: a run takes six seconds
Start = Callable[[str], Child]


@contextmanager
def keepers(store: Store, folder: Path) -> Iterator[Start]:
    """Starts keepers whose leases are short."""
    with Supervisor(folder / "home") as supervisor:

        def start(name: str) -> Child:
            return supervisor.start(
                Program(
                    name=name,
                    command=(sys.executable, "-m", "orchestrator.cli.main", "keeper"),
                    environment={
                        "MESHLINE_DATABASE_URL": store.url.render_as_string(hide_password=False),
                        "MESHLINE_KEEPER_SECONDS": "0.1",
                        "MESHLINE_JOB_LEASE_SECONDS": "2",
                    },
                    ready=says("keeping"),
                    ready_within=60,
                )
            )

        yield start
        logs = "".join(path.read_text() for path in (folder / "home" / "logs").glob("*.log"))
    assert "Traceback" not in logs, logs


def job_of(store: Store, number: int) -> JobRow:
    with store.read() as tx:
        found = find_job(tx, number)
    assert found is not None
    return found


def in_state(store: Store, number: int, state: str) -> None:
    wait_until(lambda: job_of(store, number).state == state, f"the job is not {state}")


def midway(store: Store, number: int) -> None:
    wait_until(lambda: job_of(store, number).done >= 20, "the job does not get on")


def assert_each_once(store: Store) -> None:
    """Every event was replayed, and none twice, by the audit and by the events themselves."""
    with store.read() as tx:
        table = audit.c
        told = select(func.count(), func.count(table.event_id.distinct()))
        assert tuple(tx.execute(told.where(table.action == "replay")).one()) == (EVENTS, EVENTS)
        counts = select(func.min(events.c.replays), func.max(events.c.replays))
        assert tuple(tx.execute(counts).one()) == (1, 1)


def actions(store: Store) -> list[str]:
    with store.read() as tx:
        rows = list_audit(tx, newest_first=False)
    return [one.action for one in rows if one.action.endswith("_job")]


def test_a_job_ends_though_its_keeper_was_killed_in_the_middle(
    store: Store, tmp_path: Path
) -> None:
    number = start_plan_job(store, frozen(store, EVENTS), actor=login("cli:ada"), rate=SLOW)
    with keepers(store, tmp_path) as start:
        first = start("first")
        midway(store, number)
        first.kill()
        left = job_of(store, number)
        assert (left.state, left.done < EVENTS) == ("running", True)
        start("second")
        in_state(store, number, "done")

    assert job_of(store, number).done == EVENTS
    assert job_of(store, number).keeper != left.keeper
    assert_each_once(store)
    assert actions(store) == ["start_job", "take_job", "take_over_job", "finish_job"]


def test_two_keepers_never_carry_out_one_job(store: Store, tmp_path: Path) -> None:
    token = frozen(store, EVENTS)
    with keepers(store, tmp_path) as start:
        start("one")
        start("other")
        number = start_plan_job(store, token, actor=login("cli:ada"), rate=SLOW)
        in_state(store, number, "done")

    assert_each_once(store)
    assert actions(store) == ["start_job", "take_job", "finish_job"]


def test_a_job_is_stopped_resumed_and_given_to_the_next_keeper(
    store: Store, tmp_path: Path
) -> None:
    number = start_plan_job(store, frozen(store, EVENTS), actor=login("cli:ada"), rate=SLOW)
    with keepers(store, tmp_path) as start:
        first = start("first")
        midway(store, number)
        stop_job(store, number, actor=login("cli:ada"))
        in_state(store, number, "stopped")
        stopped = job_of(store, number).done
        assert 20 <= stopped < EVENTS
        resume_job(store, number, actor=login("cli:ada"))
        wait_until(lambda: job_of(store, number).done > stopped, "it does not go on")
        first.stop(signal.SIGTERM)
        in_state(store, number, "queued")
        start("second")
        in_state(store, number, "done")

    assert_each_once(store)
    assert actions(store) == [
        "start_job", "take_job", "stop_job", "halt_job", "resume_job", "take_job", "hand_back_job",
        "take_job", "finish_job",
    ]  # fmt: skip


def test_a_job_that_takes_long_stops_no_clock(store: Store, tmp_path: Path) -> None:
    number = start_plan_job(store, frozen(store, EVENTS), actor=login("cli:ada"), rate=0.1)
    with keepers(store, tmp_path) as start:
        start("only")
        wait_until(lambda: job_of(store, number).done == 1, "the job does not begin")
        accept_leads(store, 1, tier="gold")
        validate_leads(store)

        def told() -> bool:
            with store.read() as tx:
                return any(one.incident == 2 for one in list_alerts(tx))

        wait_until(told, "nobody is told of a new incident")
        assert job_of(store, number).state == "running"
