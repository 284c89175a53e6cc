"""`--canary`, `change rollout`, `change stop` and `change outcomes`, as people type them."""

from __future__ import annotations

from orchestrator.operations.changes.rollout.keep import keep_rollouts
from tests.cli.desk import CommandLine
from tests.leads import TEXT, accept_leads
from tests.store.changes.rollout.rolling import BROKEN, HARMLESS, work

CANARY = ("--canary", "100%", "--each", "100ev,2h")


def _published(meshline: CommandLine) -> None:
    with meshline.store() as store:
        from tests.leads import publish_leads

        publish_leads(store)


def _rolled_out(meshline: CommandLine, text: str = HARMLESS) -> str:
    file = meshline.write("next.yaml", text.replace("connector: fake", "connector: fake"))
    document = meshline("workflow", "publish", file, *CANARY, "--json").document
    (one,) = document["workflows"]
    assert (one["state"], one["version"]) == ("canary", None)
    return str(one["change"])


def test_a_dry_run_says_that_a_version_would_be_tried_first(meshline: CommandLine) -> None:
    _published(meshline)
    file = meshline.write("next.yaml", HARMLESS)

    dry = meshline("workflow", "publish", file, *CANARY, "--dry-run")
    shadow = meshline("workflow", "publish", file, "--shadow", "2h", "--dry-run", "--json")

    assert dry.out == (
        "leads of client acme: it would be tried first, in a canary, and be live after its last"
        " step\n"
    )
    (one,) = shadow.document["workflows"]
    assert (one["state"], one["version"], one["change"]) == ("shadow", None, None)
    assert "2 would be live" in meshline("workflow", "publish", file, "--dry-run").out


def test_a_rollout_is_published_looked_at_and_stopped(meshline: CommandLine) -> None:
    _published(meshline)
    token = _rolled_out(meshline)

    shown = meshline("change", "rollout", token)
    assert f"change {token} of leads of client acme is canary" in shown.out
    assert "canary of 100%, each for 100 events and 2h" in shown.out
    assert "version 2 beside version 1" in shown.out and "not enough yet" in shown.out
    assert meshline("change", "show", token).out.count("not enough yet") == 1
    assert meshline("change", "list").out.count(token) == 1
    document = meshline("change", "rollout", token, "--json").document
    assert (document["state"], document["taken"]["events"]) == ("canary", 0)

    refused = meshline("change", "stop", token)
    assert refused.code != 0
    stopped = meshline("change", "stop", token, "--why", "odd titles")
    assert "it went back: odd titles" in stopped.out
    again = meshline("change", "stop", token, "--why", "odd titles")
    assert (again.code, "is rolled out: it is rolled back" in again.error) == (1, True)


def test_what_a_candidate_delivered_is_planned_to_be_taken_back(meshline: CommandLine) -> None:
    _published(meshline)
    token = _rolled_out(meshline, BROKEN)
    with meshline.store() as store:
        accept_leads(store, 2, tier="enterprise")
        accept_leads(store, 1)
        work(store)
        keep_rollouts(store)

    shown = meshline("change", "rollout", token)
    assert f"`meshline change outcomes {token}` plans to undo it" in shown.out + shown.err
    plan = meshline("change", "outcomes", token, "--json").document
    assert (plan["made_by"], plan["version"]) == (2, 1)
    assert plan["delivered"] == 2


def test_what_is_not_a_rollout_is_refused_in_one_line(meshline: CommandLine) -> None:
    _published(meshline)
    file = meshline.write("next.yaml", TEXT.replace("15m", "25m"))
    for options, told in (
        (("--canary", "5"), "'5' is not a share"),
        (("--canary", "5%"), "how long each step"),
        (("--each", "5ev"), "there is no canary"),
        (("--shadow", "soon"), "'soon' is not a duration"),
    ):
        for command in (("workflow", "publish"), ("change", "propose")):
            ran = meshline(*command, file, *options)
            assert (ran.code, told in ran.error) == (1, True), ran.err
    plain = meshline("change", "propose", file, "--json").document
    assert "nothing of change" in meshline("change", "rollout", str(plain["change"])).error
