"""`meshline jobs`, and a plan that is run in the background."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.desk.jobs import take_job
from tests.cli.desk import CommandLine
from tests.plans import frozen
from tests.store.looking import columns_with


def started(meshline: CommandLine, count: int = 3) -> tuple[str, Any]:
    """The token of a plan, and the document of the job that runs it."""
    with meshline.store() as store:
        token = frozen(store, count)
    return token, meshline("quarantine", "run", token, "--background", "--json").document


def carry_out(meshline: CommandLine) -> None:
    """What a keeper does."""
    with meshline.store() as store:
        carry_out_next_job(store, keeper="host:1", lease_seconds=60)


def test_a_plan_is_run_in_the_background(meshline: CommandLine) -> None:
    token, job = started(meshline)

    assert (job["id"], job["state"], job["plan"], job["items"]) == (1, "queued", token, 3)
    carry_out(meshline)

    (listed,) = meshline("jobs", "list", "--json").document["jobs"]
    assert (listed["state"], listed["done"]) == ("done", 3)
    shown = meshline("jobs", "show", "1", "--json").document
    assert shown["outcomes"] == {"accepted": 3}
    assert [one["outcome"] for one in shown["rows"]] == ["accepted"] * 3
    assert meshline("jobs", "show", "1", "--failed", "--json").document["rows"] == []
    screen = meshline("jobs", "show", "1").out
    assert f"job 1 (run plan {token}) is done: 3 of 3 events" in screen


def test_who_starts_a_job_is_told_where_no_keeper_is(meshline: CommandLine) -> None:
    with meshline.store() as store:
        token = frozen(store, 1)

    alone = meshline("quarantine", "run", token, "--background", "--rate", "5")
    meshline("jobs", "stop", "1")
    with meshline.store() as store:
        Pulse(store, ProcessKind.KEEPER, longest_turn_seconds=1).beat("test")
    kept = meshline("quarantine", "run", token, "--background")

    assert alone.out == f"job 1 (run plan {token}) is queued: 0 of 1 events\n"
    assert "no keeper is alive" in alone.err
    assert "`meshline jobs show 1`" in alone.err
    assert "no keeper" not in kept.err


def test_a_job_is_stopped_and_goes_on(meshline: CommandLine) -> None:
    started(meshline)

    stopped = meshline("jobs", "stop", "1", "--why", "wait for the tool")
    assert "is stopped: 0 of 3" in stopped.out
    assert "meshline jobs go-on 1" in stopped.err
    assert "cannot stop" in meshline("jobs", "stop", "1").error
    assert meshline("jobs", "list", "--state", "stopped", "--json").document["jobs"]
    assert meshline("jobs", "go-on", "1", "--json").document["state"] == "queued"
    carry_out(meshline)

    assert "is done: 3 of 3" in meshline("jobs", "show", "1").out
    assert "there is no job 7" in meshline("jobs", "go-on", "7").error
    assert "not a number" in meshline("jobs", "show", "x").usage


def test_the_doctor_says_where_jobs_wait_and_no_keeper_lives(meshline: CommandLine) -> None:
    def told() -> Any:
        checks = meshline("doctor", "--json").document["checks"]
        (line,) = [one for one in checks if one["check"] == "jobs"]
        return line

    meshline.publish()
    assert told()["health"] == "ok"
    started(meshline)

    alone = told()

    assert alone["health"] == "attention"
    assert alone["found"].startswith("0 carried out, 1 waiting; keeper missing")
    assert "`meshline keeper`" in alone["fix"]
    with meshline.store() as store:
        with store.write() as tx:
            take_job(tx, holder="h", keeper="host:1", seconds=60)
        assert told()["found"] == "1 carried out, 0 waiting"


def test_an_erased_value_leaves_no_trace_in_a_job(meshline: CommandLine) -> None:
    address = "lead-0@example.com"
    with meshline.store() as store:
        token = frozen(store, 1)
        meshline("quarantine", "run", token, "--background", "--why", f"{address} asked us")
        assert f"jobs.why: {address}" in columns_with(store, [address])

        match = ("--match", f"email={address}", "--client", "acme")
        done = meshline("erase", *match, "--why", "asked", "--discard", "--yes")

        assert done.code == 0, done.err
        assert columns_with(store, [address]) == []


def test_a_reason_goes_with_a_job(meshline: CommandLine) -> None:
    assert "--background" in meshline("quarantine", "run", "x", "--why", "now").usage


def test_filters_that_find_nothing_are_done_with_and_without_a_job(meshline: CommandLine) -> None:
    event_id, gone = meshline.leads(2, tier="gold")
    meshline("quarantine", "discard", gone, "--why", "a test")
    none = ("--workflow", "leads", "--reason", "rule_error")
    for command in (
        ("discard", "--why", "x"),
        ("restore", "--why", "x"),
        ("recipe", "--map", "tier=gold:pro", "--apply"),
    ):
        assert meshline("quarantine", *command, *none).code == 0, command
        ran = meshline("quarantine", *command, *none, "--background")
        assert (ran.code, ran.out) == (0, "nothing to do, and no job: it selects no event\n")
        ran = meshline("quarantine", *command, *none, "--background", "--json")
        assert (ran.code, ran.document) == (0, {"job": None})
    planned = meshline("quarantine", "replay", *none, "--plan", "--json")
    assert (planned.code, planned.document) == (0, {"plan": None})

    there = meshline("quarantine", "discard", gone, "--why", "x", "--background")
    assert "it selects no event" in there.error  # it was named, and is not there
    assert meshline.state(event_id) == "quarantined"


def test_events_are_discarded_restored_and_amended_in_the_background(
    meshline: CommandLine,
) -> None:
    first, second = meshline.leads(2, tier="gold")
    chosen = ("--workflow", "leads", "--background", "--json")

    job = meshline("quarantine", "discard", *chosen, "--why", "test entries").document
    assert (job["kind"], job["items"], job["why"]) == ("discard", 2, "test entries")
    assert meshline.state(first) == "quarantined"
    carry_out(meshline)
    assert meshline.state(second) == "discarded"

    meshline("quarantine", "restore", *chosen, "--why", "a mistake")
    carry_out(meshline)
    assert meshline.state(first) == "quarantined"

    recipe = ("quarantine", "recipe", "--map", "tier=gold:pro")
    assert "--apply" in meshline(*recipe, *chosen).usage
    meshline(*recipe, "--apply", *chosen)
    carry_out(meshline)
    shown = meshline("jobs", "show", "3", "--json").document
    assert (shown["state"], shown["outcomes"]) == ("done", {"done": 2})
