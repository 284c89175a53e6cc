"""A keeper that is killed and started again: clocks go on, and each alert arrives once."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from orchestrator.store.clocks.alert_views import list_alerts
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.actions import discard
from orchestrator.store.views.audit import list_audit
from tests.keeper.conftest import SECRET, Desk
from tests.keeper.stopped import stopped_leads
from tests.leads import TEXT
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

SHORT = TEXT.replace(
    "sla: {deliver_within: 15m, recover_within: 72h}",
    "sla: {deliver_within: 1h, recover_within: 2s, escalate: [0s, 3s, 6s]}",
)
LEAD, OWNER, BACKSTOP = "triage@acme.example", "/owner", "/backstop"


def start_keeper(supervisor: Supervisor, desk: Desk, store: Store, name: str) -> Child:
    return supervisor.start(
        Program(
            name=name,
            command=(sys.executable, "-m", "orchestrator.cli.main", "keeper"),
            environment={
                **desk.environment,
                "MESHLINE_DATABASE_URL": store.url.render_as_string(hide_password=False),
            },
            ready=says("keeping"),
            ready_within=60,
        )
    )


def test_a_breach_climbs_while_keepers_are_killed_and_each_alert_arrives_once(
    desk: Desk, store: Store, tmp_path: Path
) -> None:
    with Supervisor(tmp_path / "home") as supervisor:
        first = start_keeper(supervisor, desk, store, "first")
        ids = stopped_leads(store, 20, SHORT)
        wait_until(lambda: len(desk.mails.arrived) == 2, "the lead was not told")
        first.kill()
        assert desk.hook.posted == []

        # Nobody keeps the clock, and two steps fall due meanwhile.
        time.sleep(7)
        keepers = [start_keeper(supervisor, desk, store, name) for name in ("second", "third")]
        wait_until(lambda: len(desk.hook.posted) == 2, "the owner or the backstop was not told")
        for keeper in keepers:
            keeper.kill()
        fourth = start_keeper(supervisor, desk, store, "fourth")
        with store.write() as tx:
            discard(tx, ids, why="test entries", actor="cli:tester")
        wait_until(
            lambda: len(desk.mails.arrived) + len(desk.hook.posted) == 7, "the end was not told"
        )
        time.sleep(1)  # for what would be one too many
        fourth.stop(signal.SIGTERM)
        logs = "".join(path.read_text() for path in (tmp_path / "home" / "logs").glob("*.log"))

    mailed = [subject for to, subject in desk.mails.arrived if to == LEAD]
    assert len(mailed) == len(desk.mails.arrived) == 3
    assert "opened" in mailed[0] and "step 1" in mailed[1] and "resolved" in mailed[2]
    owner, backstop = desk.hook.titles(OWNER), desk.hook.titles(BACKSTOP)
    assert len(owner) == len(backstop) == 2
    assert "step 2" in owner[0] and "resolved" in owner[1]
    assert "step 3" in backstop[0] and "resolved" in backstop[1]
    assert len(set(desk.mails.ids)) == 3
    with store.read() as tx:
        actions = Counter(row.action for row in list_audit(tx) if row.actor == "keeper")
    assert actions == {"breach": 1, "escalate": 3, "resolve_incident": 1}
    assert "Traceback" not in logs
    assert SECRET not in logs


def test_a_way_out_that_hangs_keeps_neither_clocks_nor_others_waiting(
    desk: Desk, store: Store, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Supervisor(tmp_path / "home") as home:
        desk.environment["TEST_MAIL_PORT"] = str(silent.getsockname()[1])
        mail = desk.folder / "connectors" / "mail.yaml"
        mail.write_text(mail.read_text().replace("timeout: 5s", "timeout: 50s"))
        start_keeper(home, desk, store, "keeper")
        stopped_leads(store, 1, SHORT)

        wait_until(
            lambda: len(desk.hook.posted) == 2, "owner and backstop were not told", within=40
        )

        assert "step 2" in desk.hook.titles(OWNER)[0]
        assert "step 3" in desk.hook.titles(BACKSTOP)[0]
        with store.read() as tx:
            told = {(one.recipient, one.kind, one.state) for one in list_alerts(tx)}
        assert (LEAD, "opened", "waiting") in told


def test_a_keeper_ends_on_sigterm_and_says_nothing_of_it(
    desk: Desk, store: Store, tmp_path: Path
) -> None:
    with Supervisor(tmp_path / "home") as supervisor:
        keeper = start_keeper(supervisor, desk, store, "keeper")
        keeper.ask_to_stop(signal.SIGTERM)
        keeper.wait(20)

        assert not keeper.running
        assert "ended with 0" in keeper.obituary()
