"""`meshline demo`: the story is kept, and the desk shows it to whoever has the printed login."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from orchestrator.sandbox.demo import Leads
from orchestrator.sandbox.people import APPROVER
from tests.dashboard.access.desk import Somebody
from tests.dashboard.page_text import text_of
from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

DEMO = (sys.executable, "-m", "orchestrator.cli.main", "demo")
ELSEWHERE = "postgresql://127.0.0.1:1/nobody"  # the demo has a store of its own, whatever is set


def test_on_a_terminal_the_desk_shows_the_story_until_ctrl_c(tmp_path: Path) -> None:
    ours = {"MESHLINE_HOME": str(tmp_path), "MESHLINE_DATABASE_URL": ELSEWHERE}
    with Terminal(columns=120) as terminal:
        demo = subprocess.Popen(
            [*DEMO, "--leads", "2"],
            env={**os.environ, **ours},
            stdin=terminal.stream,
            stdout=terminal.stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: "everything runs" in terminal.text or demo.poll() is not None)
            desk = re.search(r"(http://\S+)/incidents/1 ", terminal.text)
            password = re.search(r"(?m)^  password (\S+)$", terminal.text)
            plan = re.search(r"/plans/(\w+) ", terminal.text)
            assert desk and password and plan, terminal.text
            with httpx.Client() as client:
                browser = Somebody(url=desk[1], client=client)
                assert browser.log_in(APPROVER, password[1]).status_code == 303
                wait_until(lambda: ">resolved<" in browser.get("/incidents/1").text)
                incident = browser.get("/incidents/1").text
                replayed = browser.get(f"/plans/{plan[1]}")
                audit = browser.get("/audit").text
                changes = text_of(browser.get("/changes?state=live").text)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        finally:
            if demo.poll() is None:
                os.killpg(demo.pid, signal.SIGTERM)
                demo.wait(60)

    assert "demo: sent 4 confirmed 4 quarantined 1 healed 1 lost 0 misrouted 0" in terminal.text
    assert "resolve incident 1" in audit
    assert "Version 2 of lead-routing</a> amended them on their way" in incident
    assert f'href="/plans/{plan[1]}"' in incident and replayed.status_code == 200
    assert "the form renamed it" in changes and changes.count(APPROVER) == 2
    told = " ".join(terminal.text.split())
    assert "refused: you are one of its authors, and nobody approves their own change" in told
    assert re.search(r"approve change change: (\w+); subject: \w{64}; .*plan_digest: \w{64}", told)
    assert (tmp_path / "demo" / "meshline.db").exists()


def test_which_tier_a_lead_has_is_the_seeds_and_stays_so() -> None:
    stories = [Leads(seed=seed, before=40, after=20) for seed in (1, 1, 2)]
    tiers = [[one.tier(number) for number in range(one.count)] for one in stories]

    assert tiers[0] == tiers[1] != tiers[2]
    assert {len(each) for each in tiers} == {61}
    assert stories[0].event(40).data == {
        "email": "lead-0040@example.com",
        "customer_tier": tiers[0][40],
        "message": "Please call me.",
    }


def test_where_no_story_is_kept_the_desk_says_how_to_play_one(tmp_path: Path) -> None:
    home = {"MESHLINE_HOME": str(tmp_path)}

    done = subprocess.run(
        [*DEMO, "--desk"], env={**os.environ, **home}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        f"error: no story is kept in {tmp_path}/demo: play one with `meshline demo`\n"
    )
