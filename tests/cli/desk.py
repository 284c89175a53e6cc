"""What the stories of the command line are told with: one command, and a store with events."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from orchestrator.cli.main import command_line, first_word
from orchestrator.cli.terminal.failures import run
from orchestrator.cli.terminal.who import in_front
from orchestrator.domain.delivery.verdicts import Amended, Rejected
from orchestrator.domain.lifecycle import State
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.pipeline.validate import validate_or_amend
from orchestrator.settings import settings
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import (
    Saving,
    hand_back,
    load_group,
    save_amended,
    save_rejected,
    save_valid,
)
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.quarantine.workflows import WorkflowShelf
from tests.leads import (
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)
from tests.stores import open_new
from tests.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on stdout: one document and nothing else."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line that says what is wrong, of a command that did nothing else."""
        return self._line(1)

    @property
    def usage(self) -> str:
        """The one line that says what is wrong with the words of a command."""
        return self._line(2)

    def _line(self, code: int) -> str:
        assert self.code == code, self.err
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")


def _run(arguments: tuple[str, ...]) -> int:
    """What the console script does: it loads only the commands that begin with the first word."""
    words = in_front(list(arguments))
    return run(command_line(first_word(words)), words)


class CommandLine:
    """A shell in an empty folder, of which `meshline` is the only program."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: Any) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}  # what a story made, for its commands
        self._monkeypatch = monkeypatch
        self._capture = capture

    def __call__(self, *arguments: str, stdin: str | bytes = b"", **environment: str) -> Ran:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        with self._monkeypatch.context() as now:
            for name, value in environment.items():
                now.setenv(name, value)
            now.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
            settings.cache_clear()
            self._capture.readouterr()
            code = _run(arguments)
        settings.cache_clear()
        out, err = self._capture.readouterr()
        return Ran(code=code, out=out, err=err)

    def asked(self, *arguments: str, answer: str) -> Ran:
        """What a command does whose stdin is a terminal, with a person who types the answer."""
        typing, reading = os.openpty()
        os.write(typing, f"{answer}\n".encode())
        with os.fdopen(reading) as stdin, self._monkeypatch.context() as now:
            now.setattr(sys, "stdin", stdin)
            settings.cache_clear()
            self._capture.readouterr()
            code = _run(arguments)
        os.close(typing)
        settings.cache_clear()
        out, err = self._capture.readouterr()
        return Ran(code=code, out=out, err=err)

    def on_screen(self, *arguments: str, columns: int = 80, **environment: str) -> str:
        """What a person sees of a command on a terminal of so many columns."""
        with Terminal(columns=columns) as terminal, self._monkeypatch.context() as now:
            now.delenv("COLUMNS", raising=False)
            now.setenv("TERM", "dumb")
            for name, value in environment.items():
                now.setenv(name, value)
            now.setattr(sys, "stdout", terminal.stream)
            now.setattr(sys, "stderr", terminal.stream)
            settings.cache_clear()
            _run(arguments)
        settings.cache_clear()
        return terminal.text

    def write(self, name: str, text: str) -> str:
        """A file in the folder; its name."""
        (self.folder / name).write_text(text)
        return name

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store that the commands use."""
        opened = open_new(self.folder / ".meshline" / "meshline.db")
        yield opened
        opened.close()

    def publish(self) -> None:
        """Make the workflow of leads live."""
        with self.store() as store:
            publish_leads(store)

    def publish_other(self) -> None:
        """Make a workflow of another client live, which nothing comes to: "calls" of "globex"."""
        text = TEXT.replace("client: acme", "client: globex").replace("leads\n", "calls\n", 1)
        with self.store() as store:
            publish_leads(store, text.replace("support-ops@acme", "nobody@globex"))

    def leads(self, count: int, **fields: str) -> list[str]:
        """Leads of the live workflow, validated: those that break its contract are quarantined."""
        self.publish()
        with self.store() as store:
            ids = accept_leads(store, count, **fields)
        self.validate()
        return ids

    def validate(self) -> None:
        """What a worker does with the first link of a chain."""
        with self.store() as store:
            validate_leads(store)

    def state(self, event_id: str) -> str:
        """The state of an event."""
        return str(self("events", "show", event_id, "--json").document["state"])


def validate_leads(store: Store) -> None:
    """The first link of every chain that is due."""
    for group in claim_groups(store):
        saving = Saving(actor="worker:validate", epoch=group.epoch, lease_seconds=60)
        with store.write() as tx:
            loaded = load_group(
                tx, group.ids, epoch=group.epoch, state=State.ACCEPTED, shelf=WorkflowShelf()
            )
            assert loaded
            verdicts = {
                one: validate_or_amend(orjson.loads(body), loaded.workflow)
                for one, body in loaded.bodies.items()
            }
            rejected = {one: bad for one, bad in verdicts.items() if isinstance(bad, Rejected)}
            save_rejected(tx, rejected, loaded.workflow, source=State.ACCEPTED, saving=saving)
            amended = {one: good for one, good in verdicts.items() if isinstance(good, Amended)}
            save_amended(tx, amended, loaded.workflow.workflow, saving)
            save_valid(tx, [one for one in verdicts if one not in rejected], saving)


def held_lead(meshline: CommandLine, circuit: str) -> str:
    """A lead whose delivery to the crm waits at the circuit."""
    meshline.publish()
    with meshline.store() as store:
        (event_id,) = accept_leads(store, 1)
        (group,) = claim_groups(store)
        drive_to_routed(store, group)
        with store.write() as tx:
            hold_deliveries(
                tx,
                group.ids,
                ["crm"],
                workflow=lead_workflow(),
                epoch=group.epoch,
                circuit=circuit,
                reason="paused",
                actor="w",
            )
            hand_back(tx, group.ids, group.epoch)
    return event_id


def late_lead(meshline: CommandLine) -> None:
    """A lead in quarantine that was to be delivered long ago, which a keeper saw."""
    meshline.leads(1, tier="gold")
    with meshline.store() as store:
        with store.write() as tx:
            tx.execute(update(events).values(accepted_at=after(-3_600)))
        keep_clocks(store, TermsShelf())
