"""Quarantined events are seen, mended and sent on, one by one or by the thousand."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import CommandLine

RENAMED = {"customer_tier": "pro"}


@pytest.fixture
def renamed(meshline: CommandLine) -> Callable[[int], list[str]]:
    """Leads of a form that calls `tier` otherwise: they are all in quarantine."""

    def emit(count: int) -> list[str]:
        meshline.publish()
        lines = "\n".join(
            f'{{"email": "{n}@example.com", "customer_tier": "pro"}}' for n in range(count)
        )
        ran = meshline("emit", "lead.created", "--client", "acme", "--lines", "-", stdin=lines)
        meshline.validate()
        return ran.out.split()

    return emit


def test_the_list_says_cause_owner_and_clock(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    first, second = renamed(2)

    listed = meshline("quarantine", "list", "--json").document

    assert listed["total"] == 2
    assert [one["id"] for one in listed["events"]] == [first, second]
    (cause,) = listed["summary"]
    assert (cause["reason"], cause["stage"], cause["events"]) == (
        "contract_violation",
        "validate",
        2,
    )
    assert listed["events"][0]["recovery_lead"] == "triage@acme.example"
    assert listed["events"][0]["overdue"] is False
    assert listed["events"][0]["hints"] == ["`customer_tier` looks like the missing `tier`"]


def test_the_screen_has_the_summary_first_and_the_hint(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id,) = renamed(1)

    page = meshline.on_screen("quarantine", "list")

    assert page.index("acme/leads") < page.index(event_id[-8:])
    assert "in 71h" in page
    words = " ".join(page.split())
    assert "`customer_tier`" in words
    assert "missing `tier`" in words
    assert "support-ops@acme.example" in words
    assert max(map(len, page.splitlines())) <= 80


def test_a_pipe_is_given_one_event_a_line_with_tabs(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    first, second = renamed(2)

    head, *rows = meshline("quarantine", "list").out.splitlines()

    assert head.split("\t") == ["ID", "REASON", "AT", "SINCE", "RECOVER", "WHY", "LEAD", "OWNER"]
    assert [row.split("\t")[0] for row in rows] == [first, second]
    assert all(row.split("\t")[6] == "triage@acme.example" for row in rows)


def test_an_empty_quarantine_is_said_so(meshline: CommandLine) -> None:
    meshline.leads(1)

    assert meshline("quarantine", "list").out == "no events are in quarantine\n"


def test_a_list_that_is_cut_says_so(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    renamed(3)

    assert meshline("quarantine", "list", "--limit", "2").err.startswith("2 of 3; --limit")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--reason", "contract_violation"), 2),
        (("--reason", "no_route"), 0),
        (("--client", "acme", "--workflow", "leads"), 2),
        (("--workflow", "calls"), 0),
        (("--since", "1h"), 2),
        (("--since", "1h ago", "--until", "30m"), 0),
        (("--since", "2020-01-01"), 2),
        (("--until", "2020-01-01T00:00:00Z"), 0),
    ],
)
def test_filters_narrow_list_and_summary(
    meshline: CommandLine,
    renamed: Callable[[int], list[str]],
    filters: tuple[str, ...],
    expected: int,
) -> None:
    renamed(2)
    meshline.publish_other()

    listed = meshline("quarantine", "list", *filters, "--json").document

    assert len(listed["events"]) == listed["total"] == expected
    replayed = meshline("quarantine", "replay", *filters, "--dry-run", "--json").document
    assert len(replayed["left_out"]) == expected


TAKEN = [
    *(("quarantine", one) for one in ("list", "replay", "diagnose", "recipes")),
    ("quarantine", "fix", "--unset", "a"),
    ("quarantine", "recipe", "--rename", "a=b"),
    *(("quarantine", one, "--why", "no") for one in ("discard", "restore")),
    ("quarantine", "replay", "--plan"),
    *((one, "list") for one in ("incidents", "events", "sla")),
]
"""Commands that take --client and --workflow."""


@pytest.mark.parametrize("command", TAKEN, ids=" ".join)
def test_a_filter_that_names_no_known_workflow_is_refused_with_the_nearest(
    meshline: CommandLine, command: tuple[str, ...]
) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    ran = meshline(*command, "--client", "acme", "--workflow", "laeds")

    said = "error: workflow: there is no workflow 'laeds' of client 'acme'; write `leads`\n"
    assert (ran.code, ran.out, ran.err) == (1, "", said)
    assert meshline.state(event_id) == "quarantined"


def test_a_time_that_is_none_is_wrong_usage(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("quarantine", "list", "--since", "yesterday")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        "error: invalid value for --since: 'yesterday' is not a time: write 2h"
    )


def test_one_event_is_shown_with_every_violation_and_its_payload(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id,) = renamed(1)
    meshline("quarantine", "fix", event_id, "--rename", "customer_tier=tier")

    shown = meshline("quarantine", "show", event_id, "--json").document
    page = meshline("quarantine", "show", event_id).out

    violations = shown["quarantine"]["violations"]
    assert {one["kind"] for one in violations} == {"required", "additionalProperties"}
    assert shown["payload"] == {"email": "0@example.com", "customer_tier": "pro"}
    assert shown["amended"] == {"email": "0@example.com", "tier": "pro"}
    assert "payload as amended" in page
    assert "rename customer_tier to tier" in page


def test_what_is_not_in_quarantine_is_not_shown_there(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1)

    error = meshline("quarantine", "show", event_id).error

    assert error.startswith(f"event {event_id} is validated and not in quarantine")
    assert "there is no event 'ghost'" in meshline("quarantine", "show", "ghost").error


def test_one_fix_and_one_replay_heal_a_renamed_field(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    ids = renamed(3)

    fixed = meshline("quarantine", "fix", "--workflow", "leads", "--rename", "customer_tier=tier")
    assert (fixed.code, fixed.out) == (0, "fixed 3\n")
    assert "until `meshline quarantine replay`" in fixed.err
    replayed = meshline("quarantine", "replay", "--workflow", "leads")
    assert (replayed.code, replayed.err) == (0, "")
    assert replayed.out == "replayed 3\n  3 under leads version 1\n"

    meshline.validate()
    assert {meshline.state(one) for one in ids} == {"validated"}
    history = meshline("events", "show", ids[0], "--json").document["history"]
    assert [row["action"] for row in history] == [
        *("accept", "quarantine", "amend", "replay", "validate")
    ]
    assert history[2]["actor"].startswith("cli:")


def test_a_fix_that_would_still_break_the_contract_is_refused(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    good, bad = renamed(2)
    meshline("quarantine", "fix", good, "--rename", "customer_tier=tier")

    ran = meshline("quarantine", "fix", good, bad, "--set", "note=hello", "--json")

    assert ran.code == 1
    assert ran.document["ids"] == []
    assert {one["id"] for one in ran.document["refused"]} == {good, bad}
    assert ran.document["refused"][0]["violations"]


def test_a_mixed_fix_saves_the_good_and_names_the_bad(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    other, left = renamed(2)
    meshline(
        "quarantine", "fix", other, "--rename", "customer_tier=tier", "--set", "tier=enterprise"
    )

    ran = meshline("quarantine", "fix", "--client", "acme", "--rename", "customer_tier=tier")

    assert (ran.code, ran.out) == (1, "fixed 1\n")
    assert f"{other} refused: customer_tier: it is not in the payload" in ran.err
    assert meshline("quarantine", "show", left, "--json").document["amended"]["tier"] == "pro"


def test_many_refusals_are_counted_and_not_all_told(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    renamed(25)

    ran = meshline("quarantine", "fix", "--client", "acme", "--unset", "ghost")

    assert ran.code == 1
    assert len(ran.err.splitlines()) == 21
    assert ran.err.endswith("and 5 more; --json has them all\n")


def test_a_trial_run_changes_nothing(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id,) = renamed(1)

    fixed = meshline("quarantine", "fix", event_id, "--rename", "customer_tier=tier", "--dry-run")
    replayed = meshline("quarantine", "replay", event_id, "--anyway", "--dry-run")

    assert (fixed.out, fixed.err) == ("would fix 1\n", "")
    assert replayed.out == "would replay 1\n  1 under leads version 1\n"
    shown = meshline("quarantine", "show", event_id, "--json").document
    assert (shown["state"], shown["amended"]) == ("quarantined", None)


def test_a_replay_done_again_changes_nothing(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id,) = renamed(1)
    meshline("quarantine", "replay", event_id, "--anyway")

    again = meshline("quarantine", "replay", event_id)

    assert (again.code, again.out) == (0, "replayed 0\n")
    assert again.err.startswith(f"{event_id} left alone: replayed by cli:")
    assert again.err.endswith("Z; it is accepted\n")


def test_a_discarded_event_is_at_its_end(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id,) = renamed(1)

    done = meshline("quarantine", "discard", event_id, "--why", "a test lead")
    again = meshline("quarantine", "discard", event_id, "--why", "a test lead", "--json")

    assert (done.code, done.out) == (0, "discarded 1\n  1 of acme/leads (contract_violation)\n")
    assert done.err == (
        f"take it back with: `meshline quarantine restore {event_id} --why 'the reason'`\n"
    )
    assert (again.code, again.document["ids"]) == (0, [])
    assert meshline.state(event_id) == "discarded"
    assert "\ta test lead\n" in meshline("events", "show", event_id).out
    back = f"meshline quarantine restore {event_id} --why 'the reason'"
    assert back in meshline("events", "show", event_id).out
    assert meshline("quarantine", "replay", event_id).code == 1
    assert meshline("quarantine", "fix", event_id, "--unset", "x").code == 1


def test_what_was_delivered_on_cannot_be_discarded(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1)

    ran = meshline("quarantine", "discard", event_id, "--why", "no")

    assert (ran.code, ran.out) == (1, "discarded 0\n")
    assert ran.err == f"{event_id} left alone: it is validated\n"


def test_a_discard_is_previewed_by_workflow_and_reason(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (event_id, _) = renamed(2)

    trial = meshline("quarantine", "discard", "--client", "acme", "--dry-run")

    assert (trial.code, trial.err) == (0, "")
    assert trial.out == "would discard 2\n  2 of acme/leads (contract_violation)\n"
    assert meshline.state(event_id) == "quarantined"


def test_a_person_at_a_terminal_is_asked_before_a_discard(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    ids = renamed(2)
    words = ("quarantine", "discard", "--client", "acme", "--why", "a test")

    for answer in ("n", ""):
        no = meshline.asked(*words, answer=answer)
        assert (no.code, no.out) == (1, "")
        asked, *rest = no.err.splitlines()
        assert "discard 2 events of acme/leads (contract_violation)? [y/N]" in asked
        assert "nothing was changed" in "".join([asked, *rest])
        assert meshline.state(ids[0]) == "quarantined"
    yes = meshline.asked(*words, answer="y")
    assert (yes.code, yes.out.splitlines()[0]) == (0, "discarded 2")


def test_yes_asks_nobody(meshline: CommandLine, renamed: Callable[[int], list[str]]) -> None:
    (event_id,) = renamed(1)

    ran = meshline.asked("quarantine", "discard", event_id, "--why", "a test", "--yes", answer="")

    assert (ran.code, "[y/N]" in ran.err) == (0, False)
    assert meshline.state(event_id) == "discarded"


def test_what_came_after_the_question_is_not_discarded(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    (seen,) = renamed(1)
    (later,) = renamed(1)

    with meshline.store() as store:
        done = discard_events(
            store, Selection(client="acme"), why="a test", actor=login("cli:dana"), seen={seen}
        )

    assert done.ids == [seen]
    assert meshline.state(later) == "quarantined"


@pytest.mark.parametrize("count", [2, 6])
def test_the_answer_to_a_discard_is_the_command_that_takes_it_back(
    meshline: CommandLine, renamed: Callable[[int], list[str]], count: int
) -> None:
    (earlier,) = renamed(1)
    meshline("quarantine", "discard", earlier, "--why", "junk")
    ids = renamed(count)
    time.sleep(0.002)  # it is told by the millisecond

    done = meshline("quarantine", "discard", "--client", "acme", "--why", "oh")

    command = done.err.removeprefix("take it back with: `meshline ").rstrip("`\n")
    back = meshline(*shlex.split(command), "--json").document
    assert set(back["ids"]) == set(ids)
    assert meshline.state(earlier) == "discarded"


def test_a_discard_is_taken_back(
    meshline: CommandLine, renamed: Callable[[int], list[str]]
) -> None:
    ids = renamed(2)
    meshline("quarantine", "discard", "--client", "acme", "--why", "a test lead")

    trial = meshline("quarantine", "restore", "--client", "acme", "--why", "no", "--dry-run")
    assert trial.out == "would restore 2\n  2 of acme/leads (contract_violation)\n"
    done = meshline("quarantine", "restore", "--since", "1h", "--why", "the wrong filter")
    assert (done.code, done.err) == (0, "")
    assert done.out == "restored 2\n  2 of acme/leads (contract_violation)\n"
    again = meshline("quarantine", "restore", *ids, "--why", "the wrong filter")
    assert (again.code, again.out) == (0, "restored 0\n")
    assert again.err.splitlines()[0].startswith(f"{ids[0]} left alone: restored by cli:")
    page = meshline("events", "show", ids[0]).out
    assert "restore" in page
    assert "the wrong filter" in page


def test_what_was_never_discarded_is_not_restored(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1)

    ran = meshline("quarantine", "restore", event_id, "--why", "no")

    assert (ran.code, ran.out) == (1, "restored 0\n")
    assert ran.err == f"{event_id} left alone: it is validated\n"


ACTIONS = [
    ("replay",),
    ("fix", "--unset", "x"),
    ("discard", "--why", "no"),
    ("restore", "--why", "no"),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda words: str(words[0]))
def test_nothing_selected_is_never_everything(
    meshline: CommandLine, action: tuple[str, ...]
) -> None:
    meshline.publish()

    error = meshline("quarantine", *action).usage

    assert "nothing was selected: give event ids, or a filter" in error


@pytest.mark.parametrize("action", ACTIONS, ids=lambda words: str(words[0]))
def test_an_unknown_id_stops_the_whole_command(
    meshline: CommandLine, renamed: Callable[[int], list[str]], action: tuple[str, ...]
) -> None:
    (event_id,) = renamed(1)

    assert "there is no event 'ghost'" in meshline("quarantine", *action, event_id, "ghost").error
    assert meshline.state(event_id) == "quarantined"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((), "give --rename old=new"),
        (("--rename", "tier"), "'tier' is not of the form old=new"),
        (("--set", "tier"), "'tier' is not of the form path=value"),
        (("--unset", "a..b"), "empty step"),
    ],
)
def test_a_change_that_cannot_be_read_is_one_line(
    meshline: CommandLine, change: tuple[str, ...], said: str
) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    assert said in meshline("quarantine", "fix", event_id, *change).usage


def test_a_discard_without_a_reason_is_refused(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    assert "reason is blank" in meshline("quarantine", "discard", event_id, "--why", " ").usage
    assert meshline("quarantine", "discard", event_id).usage.startswith("missing option '--why'")


def test_discard_and_restore_show_how_far_they_are_to_whoever_sits_there(
    meshline: CommandLine,
) -> None:
    meshline.leads(3, tier="gold")
    words = ("--workflow", "leads", "--why", "a test")

    gone = meshline.on_screen("quarantine", "discard", *words, "--yes", TERM="xterm")
    back = meshline.on_screen("quarantine", "restore", *words, TERM="xterm")

    assert "discarding" in gone and "3/3" in gone
    assert "restoring" in back and "3/3" in back
