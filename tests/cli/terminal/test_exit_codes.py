"""Exit codes and `--why` follow one rule on all commands: docs/reference/cli.md begins with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import typer

from orchestrator.cli.main import app
from orchestrator.cli.terminal.options import OptionalWhy, Why
from orchestrator.domain.errors import Refused
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from tests.cli.desk import CommandLine

NEEDED = {
    *("destinations pause", "destinations resume"),
    *("quarantine discard", "quarantine restore"),
    *("incidents resolve", "incidents note", "dead-letters drop", "erase"),
    *("change request-changes", "change reject", "change waive", "approvals refuse"),
    *("workflow retire", "workflow rollback"),
    *("change freeze", "change thaw", "change break-glass", "change stop"),
}
"""Acts against the normal course."""

OPTIONAL = {
    *("incidents ack", "incidents assign", "dead-letters requeue", "quarantine recipe"),
    *("quarantine run", "jobs stop", "jobs go-on"),
    *("change propose", "change approve", "change withdraw", "workflow publish"),
    "approvals approve",
}
"""Acts that explain themselves."""

BLANK = ("", " ", "\t\n", "\u200b", "\u3000")

ARGUMENTS = {
    "destinations pause": ("crm",),
    "destinations resume": ("crm",),
    "quarantine discard": ("x",),
    "quarantine restore": ("x",),
    "quarantine recipe": ("x", "--drop", "a"),
    "quarantine run": ("x", "--background"),
    "jobs stop": ("1",),
    "jobs go-on": ("1",),
    "incidents ack": ("1",),
    "incidents assign": ("1", "--to", "dana@acme.example"),
    "incidents resolve": ("1",),
    "incidents note": ("1",),
    "dead-letters requeue": ("1",),
    "dead-letters drop": ("1",),
    "erase": ("x",),
    "change propose": ("x",),
    "change approve": ("x",),
    "change request-changes": ("x",),
    "change reject": ("x",),
    "change waive": ("x", "contract", "--until", "3d"),
    "change withdraw": ("x",),
    "change freeze": ("x", "--until", "1d"),
    "change stop": ("x",),
    "change thaw": ("x",),
    "change break-glass": ("x",),
    "approvals approve": ("x",),
    "approvals refuse": ("x",),
    "workflow publish": ("x",),
    "workflow retire": ("x",),
    "workflow rollback": ("x",),
}


@cache
def whole() -> Any:
    """The whole command line; to build it takes a quarter of a second."""
    return typer.main.get_command(app)


def all_commands(command: Any = None, words: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of the command line by its words."""
    command = command or whole()
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, inner in command.commands.items():
        yield from all_commands(inner, f"{words} {name}".strip())


def whys() -> dict[str, Any]:
    """The `--why` of every command that has one."""
    return {
        words: option
        for words, command in all_commands()
        for option in command.params
        if "--why" in option.opts
    }


def help_of(definition: Any) -> str:
    """The help text of one of the two definitions."""
    return str(definition.__metadata__[0].help)


def test_every_why_is_one_of_two() -> None:
    found = {words: option.help for words, option in whys().items()}

    assert {words for words, said in found.items() if said == help_of(Why)} == NEEDED
    assert {words for words, said in found.items() if said == help_of(OptionalWhy)} == OPTIONAL
    assert set(found) == NEEDED | OPTIONAL == set(ARGUMENTS)


def test_the_only_reason_of_a_listing_is_a_code() -> None:
    for words, command in all_commands():
        for option in command.params:
            if "--reason" in option.opts:
                assert option.metavar == "CODE", words


@pytest.mark.parametrize("words", sorted(ARGUMENTS))
def test_a_blank_why_is_wrong_usage_everywhere(meshline: CommandLine, words: str) -> None:
    meshline.publish()

    for blank in BLANK:
        ran = meshline(*words.split(), *ARGUMENTS[words], "--why", blank)

        assert ran.usage.startswith("invalid value for --why: the reason is blank"), repr(blank)


@pytest.mark.parametrize("words", sorted(NEEDED))
def test_a_missing_why_is_wrong_usage_where_it_is_needed(meshline: CommandLine, words: str) -> None:
    meshline.publish()

    missing = meshline(*words.split(), *ARGUMENTS[words]).usage

    assert missing.startswith("missing option '--why'")


@pytest.mark.parametrize("words", ["quarantine discard", "quarantine restore", "erase"])
def test_a_look_needs_no_why(meshline: CommandLine, words: str) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    assert meshline(*words.split(), event_id, "--dry-run").code != 2


@pytest.mark.parametrize("blank", BLANK)
def test_the_rule_of_whys_stands_below_the_command_line(blank: str) -> None:
    with pytest.raises(Refused, match="a pause needs a reason"):
        needed_why(blank, "a pause")
    with pytest.raises(Refused, match="the reason is blank"):
        optional_why(blank)
    assert optional_why(None) is None
    assert optional_why(" on it ") == needed_why(" on it ", "a pause") == "on it"


def quarantined(meshline: CommandLine) -> str:
    """One event that its contract refuses."""
    return meshline.leads(1, tier="gold")[0]


def discarded(meshline: CommandLine) -> str:
    """One event that was given up."""
    event_id = quarantined(meshline)
    meshline("quarantine", "discard", event_id, "--why", "spam")
    return event_id


def letter(meshline: CommandLine) -> str:
    """One message that no worker could read."""
    meshline.publish()
    with meshline.store() as store, store.write() as tx:
        kept = DeadLetter(queue="celery", error="bad", body=b"?", headers=None)
        return str(keep_dead_letter(tx, kept))


def published(meshline: CommandLine) -> str:
    """A live workflow, and no event."""
    meshline.publish()
    return ""


CASES: list[tuple[int, Callable[[CommandLine], str], str]] = [
    # done: what was asked is so, also where it was so before
    (0, quarantined, "quarantine discard {} --why spam"),
    (0, discarded, "quarantine discard {} --why spam"),
    (0, discarded, "quarantine restore {} --why not-spam"),
    (0, quarantined, "quarantine restore {} --why not-spam"),
    (0, quarantined, "quarantine fix {} --set tier=pro"),
    (0, quarantined, "quarantine replay {} --anyway"),
    (0, published, "destinations pause acme/leads/crm --why migration"),
    (0, published, 'workflow try leads --data {{"email":"a@b.example","tier":"pro"}}'),
    # nothing to list, and nothing to do
    (0, published, "events list"),
    (0, published, "quarantine list"),
    (0, published, "incidents list"),
    (0, published, "alerts list"),
    (0, published, "dead-letters list"),
    (0, published, "keys list"),
    (0, published, "audit --action erase"),
    (0, published, "quarantine discard --workflow leads --why spam"),
    (0, published, "quarantine fix --workflow leads --unset a"),
    (0, published, "quarantine replay --workflow leads"),
    (0, published, "quarantine recipe --workflow leads --drop a"),
    (0, published, "dead-letters drop --all --why junk"),
    (0, published, "alerts retry --failed"),
    # refused: understood, and not done, or not all of it
    (1, published, "events show 0123"),
    (1, published, "quarantine discard x --why spam"),
    (1, published, "workflow show absent"),
    (1, published, "workflow check absent.yaml"),
    (1, published, "workflow test absent.yaml"),
    (1, published, "workflow try absent --data {{}}"),
    (1, published, "workflow try leads --data absent.json"),
    (1, published, 'workflow try leads --data {{"tier":"gold"}}'),
    (1, published, "incidents ack 7"),
    (1, published, "keys revoke absent"),
    (1, published, "keys limit absent --rate 50/s"),
    (1, published, "emit lead.created --client acme --data {{"),
    (1, discarded, "quarantine replay {}"),
    (1, discarded, "quarantine fix {} --set tier=pro"),
    (1, quarantined, "quarantine fix {} --set tier=lead"),
    (1, quarantined, "quarantine replay {}"),
    (1, quarantined, "quarantine replay {} --plan"),
    (1, quarantined, "quarantine recipe {} --drop absent"),
    (1, quarantined, "erase {} --why asked --yes"),
    # wrong usage: wrong whatever the store holds
    (2, published, "workflow try leads"),
    (2, published, "workflow test"),
    (2, published, "quarantine discard --why spam"),
    (2, published, "quarantine fix --workflow leads"),
    (2, published, "quarantine fix x --rename a"),
    (2, published, "quarantine recipe x --set a=1"),
    (2, published, "quarantine list --text ???"),
    (2, published, "incidents ack 1 --for soon"),
    (2, published, "incidents assign 1 --to dana"),
    (2, published, "destinations pause crm --why migration --until soon"),
    (2, published, "dead-letters drop --why junk"),
    (2, published, "alerts retry"),
    (2, published, "keys create --label shop"),
    (2, published, "retention apply --days 0"),
    (2, published, "events list --since soon"),
    (2, published, "nonsense"),
    (0, letter, "dead-letters drop {} --why junk"),
]


@pytest.mark.parametrize(
    ("code", "given", "words"), CASES, ids=[f"{code} {words}" for code, _, words in CASES]
)
def test_the_exit_code_follows_the_rule(
    meshline: CommandLine, code: int, given: Callable[[CommandLine], str], words: str
) -> None:
    known = given(meshline)

    ran = meshline(*words.format(known).split())

    assert ran.code == code, ran.err
    if code == 2:
        assert ran.out == "" and ran.err.count("\n") == 1


def test_where_only_a_part_is_refused_it_is_1(meshline: CommandLine) -> None:
    meshline.publish()
    good = meshline.leads(1, tier="gold")
    bad = meshline.leads(1, tier="lead")
    meshline("quarantine", "fix", *good, "--set", "tier=pro")

    ran = meshline("quarantine", "replay", *good, *bad)

    assert ran.out.startswith("replayed 1\n")
    assert ran.code == 1
