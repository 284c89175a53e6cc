"""A replay is planned, looked at, and run; a run that is killed is gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from orchestrator.domain.access.actor import login
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.stop import stop_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, events, plan_events, plans
from orchestrator.store.desk.plans import find_plan, outcomes
from orchestrator.store.desk.stopped_plans import stopped_plans
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import CommandLine
from tests.plans import frozen

PROJECT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "orchestrator.cli.main", "quarantine", "run")
ALL = ("--workflow", "leads")


def stopped(meshline: CommandLine, count: int) -> list[str]:
    """Leads in quarantine that a recipe mended."""
    meshline.publish()
    lines = "\n".join(
        f'{{"email": "{n}@example.com", "customer_tier": "enterprise"}}' for n in range(count)
    )
    ran = meshline("emit", "lead.created", "--client", "acme", "--lines", "-", stdin=lines)
    meshline.validate()
    meshline("quarantine", "recipe", *ALL, "--rename", "customer_tier=tier", "--apply")
    return ran.out.split()


def test_a_plan_is_made_shown_and_run(meshline: CommandLine) -> None:
    ids = stopped(meshline, 2)

    plan = meshline("quarantine", "replay", *ALL, "--plan", "--json").document
    shown = meshline("quarantine", "plan", "show", plan["token"], "--json").document

    assert (plan["events"], plan["repeats"]) == (2, 0)
    assert plan["effects"] == {"send": {"crm": 2, "desk": 2}}
    assert [one["id"] for one in shown["rows"]] == ids
    crm = shown["rows"][0]["effects"][0]
    assert (crm["effect"], crm["destination"]) == ("send", "crm")
    assert crm["fields"] == {"email": "0@example.com", "tier": "enterprise"}
    assert {meshline.state(one) for one in ids} == {"quarantined"}

    ran = meshline("quarantine", "run", plan["token"], "--json").document

    assert (ran["replayed"], ran["outcomes"]) == (2, {"accepted": 2})
    assert {meshline.state(one) for one in ids} == {"accepted"}
    (listed,) = meshline("quarantine", "plan", "list", "--json").document["plans"]
    assert (listed["state"], listed["done"]) == ("done", 2)


def test_the_screen_says_what_is_sent_and_how_to_run_it(meshline: CommandLine) -> None:
    stopped(meshline, 2)

    made = meshline("quarantine", "replay", *ALL, "--plan")
    token = made.out.split()[1].rstrip(":")

    assert "2 events would be replayed" in made.out
    assert "under leads version 1" in made.out
    assert "sent: nothing of it is there yet" in made.out
    assert f"meshline quarantine run {token}" in made.err
    assert "send desk" in meshline("quarantine", "plan", "show", token).out
    assert "replayed 2 of 2" in meshline("quarantine", "run", token).out
    assert token in meshline("quarantine", "plan", "list").out


def test_a_plan_is_refused_on_other_ground_and_a_plain_replay_needs_none(
    meshline: CommandLine,
) -> None:
    first, _ = stopped(meshline, 2)
    token = meshline("quarantine", "replay", *ALL, "--plan", "--json").document["token"]

    assert meshline("quarantine", "replay", first).code == 0

    error = meshline("quarantine", "run", token).error
    assert "1 events of plan" in error
    assert "make a new plan" in error
    assert "no plan 'x'" in meshline("quarantine", "run", "x").error


def done(store: Store, token: str) -> int:
    """How many events of the plan were replayed."""
    with store.read() as tx:
        plan = find_plan(tx, token)
        assert plan is not None
        return int(plan.events) - outcomes(tx, plan.id).get("waiting", 0)


def run(store: Store, token: str, *options: str) -> subprocess.Popen[str]:
    """A process that runs the plan."""
    url = store.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [*COMMAND, token, *options],
        env={**os.environ, "MESHLINE_DATABASE_URL": url, "PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def killed(store: Store, token: str, *, after: int) -> None:
    """Run the plan and kill its process, once it has done so many events more."""
    end = done(store, token) + after
    with run(store, token, "--rate", "50") as process:
        while done(store, token) < end:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.processes
def test_ctrl_c_says_where_a_run_is_and_how_to_go_on(store: Store) -> None:
    token = frozen(store, 200)

    with run(store, token, "--rate", "20") as process:
        while not done(store, token):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()

    count = done(store, token)
    assert process.returncode == 130
    assert said == f"stopped after {count} of 200; go on with: meshline quarantine run {token}\n"


def test_a_plan_that_somebody_stopped_is_begun_and_not_running(meshline: CommandLine) -> None:
    stopped(meshline, 2)
    token = meshline("quarantine", "replay", *ALL, "--plan", "--json").document["token"]

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with meshline.store() as store, pytest.raises(KeyboardInterrupt):
        run_plan(store, token, actor=login("cli:ada"), rate=1, progress=stop)

    assert f"plan {token} is begun" in meshline("quarantine", "plan", "show", token).out
    assert f"{token}\tbegun\t2\t1" in meshline("quarantine", "plan", "list").out


@pytest.mark.processes
def test_a_run_killed_twice_ends_with_each_event_replayed_once(store: Store) -> None:
    token = frozen(store, 800)

    killed(store, token, after=50)
    killed(store, token, after=100)
    between = done(store, token)
    with run(store, token) as process:
        said, _ = process.communicate()

    assert 150 <= between < 800
    assert process.returncode == 0, said
    assert f"replayed {800 - between} of 800, {between} before" in said
    with store.read() as tx:
        table = audit.c
        told = tx.execute(
            select(func.count(), func.count(table.event_id.distinct())).where(
                table.action == "replay"
            )
        ).one()
        stand = tx.execute(
            select(events.c.state, events.c.replays, func.count()).group_by(
                events.c.state, events.c.replays
            )
        ).all()
    assert tuple(told) == (800, 800)
    assert [tuple(one) for one in stand] == [("accepted", 1, 800)]


@pytest.mark.processes
def test_two_runs_at_once_share_the_plan(store: Store) -> None:
    token = frozen(store, 300)

    with run(store, token, "--rate", "500") as one, run(store, token, "--rate", "500") as other:
        said = [one.communicate()[0], other.communicate()[0]]

    assert done(store, token) == 300, said
    with store.read() as tx:
        assert tx.execute(select(func.max(events.c.replays))).scalar_one() == 1


def interrupted(store: Store, token: str) -> None:
    """Run the plan, and be interrupted after its first event."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_plan(store, token, actor=login("cli:ada"), rate=1, progress=interrupt)


def grow_old(store: Store) -> None:
    """Two minutes pass for every plan."""
    with store.write() as tx:
        tx.execute(update(plans).values(started_at=plans.c.started_at - 120_000))
        tx.execute(update(plan_events).values(done_at=plan_events.c.done_at - 120_000))


def test_the_doctor_names_a_plan_that_is_half_run_until_somebody_goes_on(
    meshline: CommandLine,
) -> None:
    stopped(meshline, 3)
    token = meshline("quarantine", "replay", *ALL, "--plan", "--json").document["token"]

    def told() -> list[dict[str, Any]]:
        checks = meshline("doctor", "--json").document["checks"]
        return [one for one in checks if "plan" in one["check"]]

    content = [{"check": "replay plans", "health": "ok", "found": "none is half run", "fix": None}]
    assert told() == content, "it was not begun"
    with meshline.store() as store:
        interrupted(store, token)
        assert told() == content, "somebody may run it at this moment"
        grow_old(store)

    (line,) = told()
    assert (line["check"], line["health"]) == (f"plan {token}", "attention")
    begun = "half run: 2 of 3 events are left; last run by cli:ada, nothing since 20"
    assert line["found"].startswith(begun)
    command = line["fix"].split("`")[1]
    assert meshline(*command.split()[1:]).code == 0
    assert told() == content


def test_the_doctor_names_the_job_that_stopped_and_nothing_while_one_is_to_run(
    meshline: CommandLine,
) -> None:
    with meshline.store() as store:
        token = frozen(store, 3)
        interrupted(store, token)
        grow_old(store)
        job = start_plan_job(store, token, actor=login("cli:ada"))
        with store.read() as tx:
            assert stopped_plans(tx) == [], "a keeper is to run it"
        stop_job(store, job, actor=login("cli:ada"))

    checks = meshline("doctor", "--json").document["checks"]

    (line,) = [one for one in checks if one["check"] == f"plan {token}"]
    assert line["fix"] == f"go on with `meshline jobs go-on {job}`"
    assert meshline("jobs", "go-on", str(job)).code == 0


def test_a_plan_whose_events_left_by_other_ways_is_not_half_run(store: Store) -> None:
    token = frozen(store, 3)
    interrupted(store, token)
    grow_old(store)
    with store.read() as tx:
        assert [(one.token, one.waiting) for one in stopped_plans(tx)] == [(token, 2)]

    discard_events(store, Selection(workflow="leads"), why="junk", actor=login("cli:ada"))

    with store.read() as tx:
        assert stopped_plans(tx) == []
