"""Propose, look, decide: what an author and an approver see at the command line."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from orchestrator.domain.access.roles import Role
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import changes
from tests.cli.desk import CommandLine
from tests.leads import TEXT, accept_leads
from tests.people import key_of
from tests.store.changes.governed import APPROVER, AUTHOR, decide, govern


@pytest.fixture
def governed(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Version 1 of leads is live, its changes need an approval, and the author acts by a key."""
    with meshline.store() as store:
        govern(store)
        key = key_of(store, AUTHOR, Role.OPERATOR, "acme")
    meshline.names["author"] = key
    monkeypatch.setenv("MESHLINE_ACTOR", key)
    return meshline


def test_an_author_proposes_and_the_approver_lets_it_go_live(governed: CommandLine) -> None:
    file = governed.write("leads.yaml", TEXT.replace("15m", "20m"))
    published = governed("workflow", "publish", file)
    assert published.code == 0, published.err
    token = published.out.split("proposed as change ")[1].split(";")[0]

    shown = governed("change", "show", token, "--as", APPROVER)
    assert "sla.deliver_within" in shown.out
    assert '"15m"' in shown.out
    assert '"20m"' in shown.out
    assert "looser   sla: an event has to be delivered within 20m, before: 15m" in shown.out
    assert "every payload that the contract takes today, it takes then" in shown.out
    assert AUTHOR in shown.out
    in_anothers_name = governed("workflow", "publish", file, "--as", AUTHOR)
    assert "takes a proof of who acts" in in_anothers_name.error
    named = governed("change", "approve", token, "--as", APPROVER)
    assert "takes a proof of who acts" in named.error
    (row,) = governed("change", "list", "--json").document["changes"]
    assert (row["change"], row["state"]) == (token, "awaiting_approval")
    with governed.store() as store:
        decide(store, token)
    assert governed("change", "list", "--json").document["changes"] == []
    live = governed("workflow", "list", "--json").document["workflows"]
    assert [one["version"] for one in live] == [2]
    again = governed("workflow", "publish", file, "--json").document["workflows"]
    assert (again[0]["unchanged"], again[0]["state"]) == (True, "live")


def test_publishing_says_state_proposed_and_waits_when_asked(governed: CommandLine) -> None:
    file = governed.write("leads.yaml", TEXT.replace("15m", "20m"))
    for more in (("--dry-run",), ()):
        first = governed("workflow", "publish", file, "--json", *more).document
        (one,) = first["workflows"]
        assert (one["state"], one["version"]) == ("proposed", None)
    ended: list[int] = []

    def wait() -> None:
        ended.append(governed("workflow", "publish", file, "--wait").code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    assert not ended
    with governed.store() as store:
        decide(store, one["change"])
    waiting.join(30)
    assert ended == [0]


def test_wrong_words_get_one_clear_error(governed: CommandLine) -> None:
    file = governed.write("leads.yaml", TEXT.replace("15m", "20m"))

    assert "there is no change 'nope'" in governed("change", "show", "nope").error
    soon = governed("change", "propose", file, "--at", "soon")
    assert soon.error.startswith("at: 'soon' cannot be read as a time; write 2h or 3d")
    gone = governed("change", "propose", file, "--at", "2020-01-01T00:00Z")
    assert "is not within the next 90 days" in gone.error
    assert governed("change", "reject", "nope").code == 2
    other = governed("change", "propose", file, "--change", "nope")
    assert "there is no change 'nope'" in other.error
    governed("change", "propose", file)
    (row,) = governed("change", "list", "--json").document["changes"]
    assert governed("change", "withdraw", row["change"]).code == 0
    twice = governed("change", "withdraw", row["change"])
    assert f"change {row['change']} is withdrawn since 20" in twice.error


def test_a_change_that_expired_says_why(governed: CommandLine) -> None:
    token = proposed_with(governed, "20m")
    with governed.store() as store, store.write() as tx:
        tx.execute(update(changes).values(expires_at=after(-1)))
    with governed.store() as store:
        assert keep_time_of_changes(store) == 1
    assert "nobody decided until" in governed("change", "show", token).err

    token = proposed_with(governed, "30m", "--at", "1h")
    with governed.store() as store:
        decide(store, token)
        with store.write() as tx:
            tx.execute(update(changes).values(expires_at=after(-1)))
        assert keep_time_of_changes(store) == 1
    assert "it was approved, but could not go live" in governed("change", "show", token).err


def proposed_with(governed: CommandLine, time: str, *more: str) -> str:
    """The token of a change in which a delivery may take another time."""
    file = governed.write("leads.yaml", TEXT.replace("15m", time))
    return str(governed("change", "propose", file, "--json", *more).document["change"])


def test_a_workflow_is_rolled_back(meshline: CommandLine, tmp_path: Path) -> None:
    meshline.publish()
    file = tmp_path / "later.yaml"
    file.write_text(TEXT.replace("15m", "20m"))
    assert meshline("workflow", "publish", str(file)).code == 0
    meshline("emit", "lead.created", "--client", "acme", "--data", '{"email": "a@b.example"}')
    because = ("--why", "it is slow")

    assert meshline("workflow", "rollback", "leads").code == 2
    seen = meshline("workflow", "rollback", "leads", *because, "--dry-run")
    assert "version 1 would be live again" in seen.out
    assert "1 events that nothing was routed of finish with version 2" in seen.out
    done = meshline("workflow", "rollback", "leads", *because, "--in-flight", "repin", "--json")
    assert done.document["repinned"] == 1
    again = meshline("workflow", "rollback", "leads", *because)
    assert (again.code, "live again already" in again.error) == (1, True)
    (live,) = meshline("workflow", "list", "--json").document["workflows"]
    assert live["version"] == 1


def test_a_workflow_is_retired_and_comes_back(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline("workflow", "retire", "leads").code == 2
    assert meshline("workflow", "retire", "leads", "--why", "the form is gone").code == 0
    assert meshline("workflow", "list", "--json").document["workflows"] == []
    refused = meshline("emit", "lead.created", "--client", "acme", "--data", "{}")
    assert refused.code == 1
    meshline.publish()
    live = meshline("workflow", "list", "--json").document["workflows"]
    assert [one["version"] for one in live] == [2]


def test_a_change_is_written_as_a_page_of_one_file(governed: CommandLine) -> None:
    governed("change", "propose", governed.write("leads.yaml", TEXT.replace("15m", "20m")))
    (row,) = governed("change", "list", "--json").document["changes"]
    file = governed.write("change.html", "")

    done = governed("change", "show", row["change"], "--html", file)

    assert (done.code, done.out) == (0, f"{file} has the page of change {row['change']}\n")
    page = Path(file).read_text("utf-8")
    assert page.startswith("<!doctype html>") and row["change"] in page
    nowhere = governed("change", "show", row["change"], "--html", f"{file}/none.html")
    assert nowhere.code == 1 and "Not a directory" in nowhere.error


NEEDS_PLAN = TEXT.replace("[email, tier]\n  prop", "[email, tier, plan]\n  prop").replace(
    "    tier: {enum", "    plan: {type: string}\n    tier: {enum"
)


def test_gates_are_shown_in_four_words_and_a_failing_one_makes_exit_1(
    governed: CommandLine,
) -> None:
    with governed.store() as store:
        accept_leads(store, 3)
    file = governed.write("leads.yaml", NEEDS_PLAN)
    token = str(governed("change", "propose", file, "--json").document["change"])

    found = governed("change", "check", token)

    assert found.code == 1
    assert "fail         5 contract (blocks): the contract takes all" in found.out
    assert "of all 3 events of the last 28 days it newly refuses 3" in found.out
    assert "do: let the contract take them" in found.out
    assert "pass         2 cases (blocks)" in found.out
    assert "cannot tell  10 drill (warns)" in found.out
    assert "nobody can approve it: contract fails, and blocks" in found.err
    document = governed("change", "check", token, "--json")
    assert (document.code, document.document["stops"]) == (1, True)
    assert len(document.document["gates"]) == 10
    shown = governed("change", "show", token)
    assert shown.code == 0
    assert "1 fail" in shown.out
    assert "contract fails, and blocks" in shown.out


def test_a_waiver_is_by_the_approver_and_shown_with_its_end(
    governed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with governed.store() as store:
        accept_leads(store, 3)
        key = key_of(store, APPROVER, Role.APPROVER, "acme")
    token = str(
        governed("change", "propose", governed.write("l.yaml", NEEDS_PLAN), "--json").document[
            "change"
        ]
    )
    waive = ("change", "waive", token, "contract", "--why", "agreed")

    own = governed(*waive, "--until", "3d")
    assert "role approver" in own.error
    monkeypatch.setenv("MESHLINE_ACTOR", key)
    assert governed(*waive).code == 2
    assert "cannot be read as a time" in governed(*waive, "--until", "soon").error
    done = governed(*waive, "--until", "3d")
    assert done.code == 0, done.err
    assert f"gate contract of change {token} is waived until" in done.out
    found = governed("change", "check", token)
    assert found.code == 0
    assert f"by person:{APPROVER}" in found.out
    assert governed("change", "approve", token).code == 0


def test_the_checklist_answers_eight_questions(governed: CommandLine) -> None:
    token = proposed_with(governed, "20m")

    found = governed("change", "check", token, "--checklist")

    assert found.code == 0
    for question in ("trigger", "source of truth", "QA signal", "recovery path"):
        assert question in found.out
    assert "lead.created" in found.out


def test_a_retirement_has_no_gates(governed: CommandLine) -> None:
    governed("workflow", "retire", "leads", "--why", "the form is gone")
    (row,) = governed("change", "list", "--json").document["changes"]

    found = governed("change", "check", row["change"])

    assert (found.code, found.err.strip()) == (0, "a retirement and a rollback have no gates")


def test_a_file_is_compared_with_what_is_live_and_nothing_is_proposed(
    governed: CommandLine,
) -> None:
    with governed.store() as store:
        accept_leads(store, 3)
    same = governed.write("same.yaml", TEXT)
    other = governed.write("other.yaml", NEEDS_PLAN)

    found = governed("change", "diff", other)

    assert found.code == 0
    assert "stricter contract: `plan` is new, and required; may break: senders" in found.out
    assert "of all 3 events of the last 28 days it newly refuses 3" in found.out
    assert "contract.properties.plan" in found.out
    assert governed("change", "diff", other, "--exit-code").code == 1
    document = governed("change", "diff", other, "--json").document
    assert (document["same"], document["live_version"]) == (False, 1)
    assert document["contract"]["newly_refused"] == 3
    unchanged = governed("change", "diff", same, "--exit-code")
    assert (unchanged.code, unchanged.out) == (
        0,
        "leads of client acme: version 1 is live and says the same\n",
    )
    new = governed.write("new.yaml", TEXT.replace("workflow: leads", "workflow: others"))
    assert "no version is live, and the file differs" in governed("change", "diff", new).out
    assert governed("change", "list", "--json").document["changes"] == []


def test_a_commit_is_kept_as_evidence_and_its_address_holds_no_login(
    governed: CommandLine,
) -> None:
    file = governed.write("leads.yaml", TEXT.replace("15m", "20m"))
    propose = ("change", "propose", file, "--json")

    assert "is not a commit" in governed(*propose, "--commit", "main").error
    assert "name the commit too" in governed(*propose, "--url", "https://git.example/1").error
    for url in ("git.example/1", "https://me:pass@git.example/1", "javascript:alert(1)"):
        refused = governed(*propose, "--commit", "4adfa9d", "--url", url)
        assert refused.error.startswith("url: "), refused.err
        assert "pass@" not in refused.error or "is not an address" in refused.error
    done = governed(*propose, "--commit", "4ADFA9D", "--url", "https://git.example/c/4adfa9d")
    token = str(done.document["change"])
    shown = governed("change", "show", token)
    assert "4adfa9d https://git.example/c/4adfa9d" in shown.out
    document = governed("change", "show", token, "--json").document
    assert document["commit"]["id"] == "4adfa9d"
    assert len(document["commit"]["file_digest"]) == 64


def test_a_rollback_says_what_becomes_of_what_the_version_made(
    meshline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = meshline.write("leads.yaml", TEXT)
    meshline("workflow", "publish", file)
    meshline("workflow", "publish", meshline.write("leads.yaml", TEXT.replace("15m", "20m")))

    done = meshline("workflow", "rollback", "leads", "--outcomes", "plan", "--why", "too slow")

    assert "version 1 is live again" in done.out
    assert "version 2 delivered 0 events" in done.out
    assert "there is nothing to undo" in done.err
    again = meshline(
        "workflow", "rollback", "leads", "--outcomes", "plan", "--why", "again", "--json"
    ).document
    assert again["outcomes"]["made_by"] == 2
    assert again["rollback"]["change"] is not None
    planned = ("workflow", "rollback", "leads", "--of", "2", "--why", "again")
    of = meshline(*planned, "--outcomes", "plan", "--json").document
    assert of["outcomes"]["made_by"] == 2
    assert "rollback" not in of
    assert "goes with --outcomes plan" in meshline(*planned).usage
