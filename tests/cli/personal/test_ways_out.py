"""Every command, as somebody has it who may not see personal values: none is in what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
import typer

from orchestrator.cli.main import command_line
from orchestrator.presenting.personal.gate import NO_CLIENT
from orchestrator.store.views.audit import list_audit
from tests.cli.desk import CommandLine
from tests.marked import GIVER, SECRET, TEXT, Marked, fill_marked
from tests.stores import open_new

SHOWN: dict[str, list[str]] = {
    "audit": ["", "--event {fixed}", "--event {mended}", "--limit 500"],
    "destinations list": [""],
    "dead-letters list": [""],
    "dead-letters show": ["{letter}"],
    "doctor": [""],
    "events list": ["", "--held", "--state quarantined"],
    "events show": [f"{{{name}}} --payload" for name in (
        "delivered", "refused", "broken", "renamed", "fixed", "mended", "discarded", "held")],
    "incidents list": [""],
    "incidents show": ["1", "2", "3", "4"],
    "jobs list": [""],
    "jobs show": ["{job}"],
    "incidents work": ["--client acme"],
    "quarantine diagnose": ["--workflow leads"],
    "quarantine discard": ["{broken} --dry-run --why seen"],
    "quarantine fix": ["{broken} --set tier=pro --dry-run", "{renamed} --rename mail=email"],
    "quarantine list": ["", "--reason contract_violation"],
    "quarantine plan list": [""],
    "quarantine plan show": ["{token}"],
    "quarantine recipe": [
        "{broken} {renamed} {fixed} {mended} --rename mail=email --case email=lower",
        "{renamed} --move mail=who.email --drop customer_tier",
        "{broken} --split email=@",
        "{broken} --set-from tier=email",
        "{mended} --saved 1 --again",
    ],
    "quarantine recipes": [""],
    "quarantine replay": ["{broken} --dry-run", "{fixed} {renamed} {refused} --plan"],
    "quarantine restore": ["{discarded} --dry-run --why seen"],
    "quarantine run": ["{token}"],
    "quarantine show": [f"{{{name}}}" for name in ("refused", "broken", "renamed", "fixed")],
    "sla list": [""],
    "alerts list": [""],
    "workflow list": [""],
    "workflow show": ["leads"],
    "workflow graph": ["leads.yaml"],
    "erase": ["{broken} --dry-run --why seen"],
    "approvals list": ["", "--groups", "--all"],
    "approvals show": ["{asked}"],
}  # fmt: skip
"""What is asked of each command that shows anything of events."""

NOT_OF_EVENTS = {
    **dict.fromkeys(("up", "demo", "api", "worker", "relay", "keeper", "flower"), "a process"),
    **dict.fromkeys(("emit", "workflow try"), "takes the payload of whoever asks, and stores none"),
    **dict.fromkeys(
        ("workflow check", "workflow test", "workflow publish"), "reads a file of whoever asks"
    ),
    **dict.fromkeys(
        (
            "change list",
            "change show",
            "change backtest",
            "change rehearse",
            "change propose",
            "change approve",
            "change request-changes",
            "change reject",
            "change withdraw",
            "change check",
            "change diff",
            "change waive",
            "change rollout",
            "change stop",
            "change outcomes",
            "change freeze",
            "change thaw",
            "change break-glass",
            "change prove",
            "workflow retire",
            "workflow rollback",
        ),
        "workflows, in which no payload is",
    ),
    **dict.fromkeys(("approvals approve", "approvals refuse"), "answers ids"),
    **dict.fromkeys(
        ("incidents ack", "incidents assign", "incidents resolve", "incidents note"), "answers ids"
    ),
    **dict.fromkeys(("dead-letters requeue", "dead-letters drop"), "answers numbers"),
    **dict.fromkeys(("destinations pause", "destinations resume"), "answers names"),
    **dict.fromkeys(
        ("connectors list", "connectors show", "connectors check", "connectors schema"),
        "definitions",
    ),
    **dict.fromkeys(("sources list", "sources check"), "definitions"),
    "sources try": "reads a request of whoever asks, and stores none",
    "connectors try": "sends what whoever asks gives it",
    **dict.fromkeys(("alerts test", "alerts retry"), "an alert has names and counts"),
    "retention apply": "counts",
    **dict.fromkeys(("jobs stop", "jobs go-on"), "answers how far a job is"),
    **dict.fromkeys(("login", "logout"), "a session"),
    **dict.fromkeys(
        (
            "people add",
            "people away",
            "people disable",
            "people enable",
            "people invite",
            "people list",
            "people password",
            "people roles",
            "people show",
            "people signing-key add",
            "people signing-key list",
            "people signing-key confirm",
            "people signing-key revoke",
        ),
        "people of the desk, whom no payload names",
    ),
    **dict.fromkeys(
        ("keys create", "keys limit", "keys list", "keys revoke", "keys rotate"), "keys"
    ),
}
"""Commands that show nothing of events, and why."""

TELLING = {
    "approvals show", "audit", "destinations list", "dead-letters show", "events list",
    "events show",
    "incidents show", "quarantine diagnose", "quarantine fix", "quarantine list",
    "quarantine plan show", "quarantine recipe", "quarantine recipes", "quarantine replay",
    "quarantine show",
}  # fmt: skip
"""Those that show personal values to whoever may see them: each could show them to others."""


def commands() -> set[str]:
    def leaves(one: object, words: tuple[str, ...] = ()) -> Iterator[str]:
        inner = getattr(one, "commands", None)
        if inner is None:
            yield " ".join(words)
        for name, command in (inner or {}).items():
            yield from leaves(command, (*words, name))

    return set(leaves(typer.main.get_command(command_line())))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Marked]:
    """A store's file, and what is in it."""
    file = tmp_path_factory.mktemp("marked") / "meshline.db"
    store = open_new(file)
    marked = fill_marked(store)
    store.empty_log(seconds=5)
    store.close()
    return file, marked


@pytest.fixture
def marked(meshline: CommandLine, filled: tuple[Path, Marked]) -> Marked:
    meshline.write("leads.yaml", TEXT)
    home = meshline.folder / ".meshline"
    home.mkdir()
    copyfile(filled[0], home / "meshline.db")
    return filled[1]


def said_of(meshline: CommandLine, marked: Marked, command: str) -> str:
    """All that a command says, in both forms."""
    names = {name: getattr(marked, name) for name in marked.__dataclass_fields__}
    said = ""
    for asked in SHOWN[command]:
        words = [*command.split(), *asked.format(**names).split()]
        for form in ([], ["--json"]):
            if not (form and command == "workflow graph"):
                ran = meshline(*words, *form)
                assert ran.code in (0, 1), (words, ran.err)
                assert "Traceback" not in ran.err
                said += f"\n$ {' '.join(words)} {form}\n{ran.out}{ran.err}"
    return said


def test_every_command_is_in_the_table() -> None:
    assert sorted(commands() ^ (SHOWN.keys() | NOT_OF_EVENTS.keys())) == []
    assert SHOWN.keys() & NOT_OF_EVENTS.keys() == set()


@pytest.mark.parametrize("command", sorted(SHOWN))
def test_who_may_not_see_personal_values_sees_none(
    meshline: CommandLine, marked: Marked, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(
        "orchestrator.cli.terminal.personal.clients_seen", lambda _store, _tx: NO_CLIENT
    )

    said = said_of(meshline, marked, command)

    assert [line for line in said.casefold().splitlines() if SECRET in line] == []
    assert GIVER[:10] not in said
    with meshline.store() as store, store.read() as tx:
        assert list_audit(tx, action="see_personal_data") == []


@pytest.mark.parametrize("command", sorted(TELLING))
def test_who_may_see_them_does(meshline: CommandLine, marked: Marked, command: str) -> None:
    assert SECRET in said_of(meshline, marked, command).casefold()
