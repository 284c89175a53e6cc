"""A change run through the real chain where nothing is real."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from sqlalchemy import MetaData, select

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.gates.gate import GateName, GateState
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import ChangedSinceSeen, Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.embedded.up import example_folder
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.show import ExplainedChange, explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.rehearsal.conduct import Asked, rehearse_change
from orchestrator.store.changes.changes import find_locked
from orchestrator.store.database.engine import Store
from tests.people import add, add_admin, age_roles, logged_in
from tests.store.changes.governed import APPROVER, AUTHOR

pytestmark = pytest.mark.processes

CONNECTORS = example_folder() / "connectors"
TEXT = (example_folder() / "lead-routing.yaml").read_text()
TIERS = ("enterprise", "pro", "starter", "gold")


def published(store: Store, text: str) -> str | None:
    workflow = parse_workflow(text, name="x", catalog=catalog(load_connectors(CONNECTORS)))
    actor = logged_in(store, AUTHOR)
    return publish_workflow(store, workflow, actor=actor).change


@pytest.fixture
def token(store: Store) -> str:
    """A change of the lead example that awaits its approval, upon a version that took leads."""
    add_admin(store)
    add(store, AUTHOR, Role.OPERATOR, "acme")
    published(store, TEXT)
    add(store, APPROVER, Role.APPROVER, "acme")
    age_roles(store)
    found = published(store, TEXT.replace("deliver_within: 15m", "deliver_within: 20m"))
    assert found is not None
    return found


def leads(store: Store, seed: int, count: int = 20) -> dict[str, str]:
    """Events by id, with the tier of each."""
    chance = random.Random(seed)
    tiers = [chance.choice(TIERS) for _ in range(count)]
    payloads = [{"email": f"ada-{n}@acme.example", "tier": one} for n, one in enumerate(tiers)]
    triggers = [
        Trigger(
            client="acme",
            type="lead.created",
            payload=orjson.dumps(one).decode(),
            digest=strict_json.digest(one),
        )
        for one in payloads
    ]
    ids = [one.id for one in accept_batch(store, triggers, actor="key:test")]
    return dict(zip(ids, tiers, strict=True))


def every_row(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that the store holds, table by table."""
    with store.read() as tx:
        tables = MetaData()
        tables.reflect(tx)
        return {
            name: sorted((tuple(row) for row in tx.execute(select(table))), key=repr)
            for name, table in tables.tables.items()
        }


def asked(home: Path) -> Asked:
    return Asked(home=home, connectors=CONNECTORS)


def test_real_events_go_through_the_chain_and_no_row_of_the_store_is_touched(
    store: Store, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiers = leads(store, seed=int(time.time()))
    stopped = sum(one == "gold" for one in tiers.values())
    # Where it read these, it would reach the live store.
    monkeypatch.setenv("MESHLINE_DATABASE_URL", "sqlite:////nowhere/live.db")
    monkeypatch.setenv("MESHLINE_BROKER_URL", "redis://127.0.0.1:1/0")
    before = every_row(store)
    during: list[dict[str, list[tuple[object, ...]]]] = []

    def tell(says: str, done: int, _: int) -> None:
        if says == "rehearsing" and done == len(tiers):
            during.append(every_row(store))

    done = rehearse_change(
        store, token, actor=logged_in(store, AUTHOR), asked=asked(tmp_path), tell=tell
    )

    assert during == [before]
    found = done.result
    assert (found.events, found.real, found.unfinished, found.unproven) == (20, 20, 0, 0)
    assert found.delivered == len(tiers) - stopped
    assert found.stopped == 0
    assert [(one.reason, one.decided, one.events) for one in found.stops] == (
        [("contract_violation", True, stopped)] if stopped else []
    )
    made = {one.destination: (one.instead, one.made, one.failed) for one in found.destinations}
    senior = sum(one == "enterprise" for one in tiers.values())
    assert made == {
        "crm": ("sandbox", found.delivered, 0),
        "senior-desk": ("sandbox", senior, 0),
        "desk": ("sandbox", found.delivered - senior, 0),
    }
    assert found.replaced == 20  # the addresses, and nothing else
    assert not (tmp_path / "rehearsals").exists()


def test_what_it_found_is_a_part_of_what_is_approved(
    store: Store, token: str, tmp_path: Path
) -> None:
    leads(store, seed=1)
    with store.read() as tx:
        before = explain_change(tx, token, None)
    assert _audit_gate(before) == GateState.CANNOT_TELL

    done = rehearse_change(store, token, actor=logged_in(store, AUTHOR), asked=asked(tmp_path))

    with store.read() as tx:
        after = explain_change(tx, token, None)
        kept = find_locked(tx, token)
    assert kept is not None
    assert after.rehearsal == done.result
    assert after.digest == done.subject == subject_of(kept).digest() != before.digest
    assert _audit_gate(after) == GateState.PASS
    approver = logged_in(store, APPROVER)
    with pytest.raises(ChangedSinceSeen):
        decide_change(store, token, Decision.APPROVE, actor=approver, seen=(before.digest,))
    live = decide_change(store, token, Decision.APPROVE, actor=approver, seen=(after.digest,))
    assert live.live_version == 2
    with pytest.raises(Refused, match="live already"):
        rehearse_change(store, token, actor=logged_in(store, AUTHOR), asked=asked(tmp_path))


def _audit_gate(found: ExplainedChange) -> str:
    return next(one.state for one in found.gates if one.gate == GateName.AUDIT)


def test_a_destination_that_is_dry_is_not_called_and_one_with_an_account_is(
    store: Store, token: str, tmp_path: Path
) -> None:
    leads(store, seed=2)
    folder = tmp_path / "connectors"
    folder.mkdir()
    for one in CONNECTORS.iterdir():
        (folder / one.name).write_text(one.read_text())
    account = (CONNECTORS / "helpdesk.yaml").read_text()
    account = account.replace("connector: helpdesk", "connector: helpdesk-trial")
    (folder / "helpdesk-trial.yaml").write_text(account)
    text = TEXT.replace(
        "retries:", "environments: {staging: {crm: dry, helpdesk: helpdesk-trial}}\nretries:"
    )
    workflow = parse_workflow(text, name="x", catalog=catalog(load_connectors(folder)))
    author = logged_in(store, AUTHOR)
    staged = publish_workflow(store, workflow, actor=author).change
    assert staged is not None

    done = rehearse_change(
        store,
        staged,
        actor=author,
        # Not longer: what has no address waits for one till the end.
        asked=Asked(home=tmp_path, connectors=folder, file=workflow, events=5, seconds=25.0),
    )

    instead = {one.destination: (one.instead, one.unmade) for one in done.result.destinations}
    # The account's address is the sandbox's, of which nobody said where it is.
    assert instead["crm"] == ("dry", 0)
    assert instead["desk"][0] == "helpdesk-trial"
    assert done.result.events == 5 + len(workflow.tests)
    assert done.result.real == 5


def test_one_that_is_killed_leaves_nothing_behind(
    store: Store, token: str, store_url: str, tmp_path: Path
) -> None:
    leads(store, seed=3)
    before = every_row(store)
    home = tmp_path / "home"
    caller = subprocess.Popen(
        (sys.executable, "-c", _CALLER, store_url, token, str(home), str(CONNECTORS), AUTHOR),
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    with caller:
        assert caller.stdout is not None
        for line in caller.stdout:
            if b"sandbox" in line:
                break
        caller.send_signal(signal.SIGKILL)

    end = time.monotonic() + 60
    while _processes(home) or (
        (home / "rehearsals").exists() and any((home / "rehearsals").iterdir())
    ):
        assert time.monotonic() < end, _processes(home)
        time.sleep(0.2)
    assert every_row(store) == before


def _processes(home: Path) -> list[str]:
    """Command lines of processes whose environment names that home."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() in (one / "environ").read_bytes():
                found.append((one / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return [one for one in found if str(os.getpid()) not in one]


_CALLER = """
import sys
from pathlib import Path
from orchestrator.rehearsal.conduct import Asked, rehearse_change
from orchestrator.store.database.migrate import open_store
from tests.people import logged_in
url, token, home, connectors, author = sys.argv[1:]
store = open_store(url)
rehearse_change(
    store, token, actor=logged_in(store, author),
    asked=Asked(home=Path(home), connectors=Path(connectors)),
    tell=lambda *told: print(*told, flush=True),
)
"""
