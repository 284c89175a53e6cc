"""`make bench-rollback`: a bad version is taken back under load; see benchmarks/README.md.

Real processes and the sandbox. The bad version puts tickets into the wrong queue. In the end the
sandbox's own records are counted: what is lost, doubled, or in the wrong queue.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from sqlalchemy import select

from benchmarks.desk.filling import POSTGRES, SQLITE, database
from benchmarks.desk.leads import CLIENT, WORKFLOW, good_leads
from benchmarks.machine import this_run
from benchmarks.stand import forget_environment
from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.embedded.up import example_folder
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.sandbox.ledger import read_collection
from orchestrator.settings import settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import events
from orchestrator.store.views.events.counts import count_states

_ME = login("bench")
_TOGETHER = 500
_PATIENCE = 900.0  # seconds until all is at its end
_QUEUES = {"enterprise": "senior", "pro": "desk", "starter": "desk"}


def main() -> None:
    """Take a version back in a store of each kind, and print what that cost and left."""
    parser = argparse.ArgumentParser(prog="make bench-rollback")
    parser.add_argument("--events", type=int, default=10_000, metavar="N", help="on their way")
    parser.add_argument("--database", choices=(SQLITE, POSTGRES), help="only this one")
    asked = parser.parse_args()
    forget_environment()
    about = this_run(sys.argv[1:], target="bench-rollback")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", "", *_HEAD]
    for kind in (SQLITE, POSTGRES) if asked.database is None else (asked.database,):
        with TemporaryDirectory(prefix="meshline-bench-") as folder:
            lines.append(_measured(kind, Path(folder), asked.events))
    sys.stdout.write("\n".join(lines) + "\n")


_COLUMNS = (
    *("store", "on their way", "rollback s", "first event s", "begun again", "in s", "plan s"),
    *("made again", "in s", "lost", "doubled", "wrong queue"),
)
_HEAD = (f"| {' | '.join(_COLUMNS)} |", f"|---{'|--:' * (len(_COLUMNS) - 1)}|")


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """One installation."""

    store: Store
    services: Services
    catalog: Catalog

    def publish(self, text: str) -> None:
        workflow = parse_workflow(text, name="bench", catalog=self.catalog)
        publish_workflow(self.store, workflow, actor=_ME)

    def count(self, *states: str) -> int:
        with self.store.read() as tx:
            counts = count_states(tx)
        return sum(counts[one] for one in states)

    def wait(self, happens: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not happens():
            if time.monotonic() > end:
                raise SystemExit(f"not done after {_PATIENCE:g} s: {self.count('delivered')}")
            time.sleep(0.05)

    def records(self, collection: str) -> Iterator[tuple[str, str]]:
        """The key and the queue of each record of the sandbox."""
        environment = self.services.environment
        url, token = environment["MESHLINE_SANDBOX_URL"], environment["MESHLINE_SANDBOX_TOKEN"]
        for one in read_collection(url, token, collection):
            yield str(one["key"]), str(one["fields"].get("queue", ""))


@contextmanager
def _running(kind: str, folder: Path) -> Iterator[_Bench]:
    connectors = example_folder() / "connectors"
    with database(kind, folder) as url:
        set_ = {
            "MESHLINE_HOME": str(folder / "home"),
            "MESHLINE_DATABASE_URL": url,
            "MESHLINE_CONNECTORS": str(connectors),
        }
        with patch.dict(os.environ, set_):
            settings.cache_clear()
            config = settings()
            with Supervisor(config.home) as supervisor, closing(open_store(url)) as store:
                services = Services(supervisor=supervisor, config=config)
                known = catalog(load_connectors(connectors))
                yield _Bench(store=store, services=services, catalog=known)
        settings.cache_clear()


def _measured(kind: str, folder: Path, count: int) -> str:
    good = (example_folder() / "lead-routing.yaml").read_text("utf-8")
    bad = good.replace("""queue: '"desk"'""", """queue: '"senior"'""")
    bad = bad[: bad.index("tests:")]  # they would say that it is wrong
    with _running(kind, folder) as bench:
        bench.publish(good)
        bench.publish(bad)
        tiers = _accept(bench.store, count)
        bench.services.start_chain(lambda *_: None, sandbox=True)
        bench.wait(lambda: bench.count("delivered") > count // 20)
        way = bench.count("accepted", "validated", "routed")
        back, first = _roll_back(bench)
        began = time.monotonic()
        again = rollback_workflow(
            bench.store, CLIENT, WORKFLOW, why="wrong queue", actor=_ME, repin=True
        )
        repinned = time.monotonic() - began
        bench.wait(lambda: bench.count("delivered") == len(tiers) + 1)
        began = time.monotonic()
        plan = plan_outcomes(bench.store, CLIENT, WORKFLOW, catalog=bench.catalog, actor=_ME)
        planned = time.monotonic() - began
        began = time.monotonic()
        if plan.token is not None:
            run_plan(bench.store, plan.token, actor=_ME)
            bench.wait(lambda: bench.count("delivered") == len(tiers) + 1)
        healed = time.monotonic() - began
        lost, doubled, astray = _compared(bench, tiers)
    return (
        f"| {kind} | {way:,} | {back:.3f} | {first:.3f} | {again.repinned:,} | {repinned:.1f}"
        f" | {planned:.1f} | {plan.events:,} | {healed:.1f} | {lost} | {doubled} | {astray} |"
    )


def _accept(store: Store, count: int) -> dict[str, str]:
    """Events by id with the tier of each."""
    leads = good_leads(count, random.Random(1))
    tiers: dict[str, str] = {}
    while some := list(islice(leads, _TOGETHER)):
        accepted = accept_batch(store, some, actor="key:bench")
        for one, trigger in zip(accepted, some, strict=True):
            tiers[one.id] = next(tier for tier in _QUEUES if f'"{tier}"' in trigger.payload)
    return tiers


def _roll_back(bench: _Bench) -> tuple[float, float]:
    """How long it took, and how long after its commit the old version had its first event."""
    began = time.monotonic()
    done = rollback_workflow(bench.store, CLIENT, WORKFLOW, why="wrong queue", actor=_ME)
    committed = time.monotonic()
    (late,) = islice(good_leads(1, random.Random(2)), 1)
    fresh = replace(late, idempotency_key="after the rollback")
    (accepted,) = accept_batch(bench.store, [fresh], actor="key:bench")
    version = select(events.c.workflow_id).where(events.c.id == accepted.id)
    with bench.store.read() as tx:
        if tx.execute(version).scalar_one() != done.version:
            raise SystemExit("an event after the rollback is under the bad version")
    return committed - began, time.monotonic() - committed


def _compared(bench: _Bench, tiers: dict[str, str]) -> tuple[int, int, int]:
    """Events without a ticket, with more than one, and with one in the wrong queue."""
    queues: dict[str, list[str]] = {}
    for key, queue in bench.records("helpdesk/tickets"):
        queues.setdefault(key.partition(".")[0], []).append(queue)
    contacts = Counter(key.partition(".")[0] for key, _ in bench.records("crm/contacts"))
    lost = [one for one in tiers if one not in queues]
    doubled = [one for one, found in queues.items() if len(found) > 1 or contacts[one] > 1]
    astray = [one for one, tier in tiers.items() if set(queues.get(one, ())) - {_QUEUES[tier]}]
    return len(lost), len(doubled), len(astray)


if __name__ == "__main__":
    main()
