"""Ctrl-C ends a command between two chunks, says how far it came, and which command goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestrator.domain.access.actor import login
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, events
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import CommandLine, validate_leads
from tests.leads import CATALOG, publish_leads, renamed_lead
from tests.store.desk.recipes import RECIPE

PROJECT = Path(__file__).parents[3]
COUNT = 800  # what one turn of the relay claims
EVERY = Selection(workflow="leads")

PROGRAM = """
from orchestrator.cli.emit import lines as trigger_lines
from orchestrator.cli.main import main
from orchestrator.store.views.quarantine import selection
selection.CHUNK = trigger_lines._BATCH = 5
main()
"""
"""The command line with chunks so small that a command has many of them."""


def started(store: Store, words: list[str]) -> subprocess.Popen[str]:
    """A process that runs a command."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "MESHLINE_DATABASE_URL": address(store), "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def address(store: Store) -> str:
    """The store's URL, with its password."""
    return store.url.render_as_string(hide_password=False)


def interrupted(store: Store, words: list[str], count: Callable[[Store], int]) -> str:
    """What a command says to whom presses Ctrl-C once it has done something."""
    with started(store, words) as process:
        while not count(store):
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130, said
    return said


def quarantined(store: Store) -> None:
    """Leads whose field was renamed."""
    publish_leads(store)
    accept_batch(store, [renamed_lead(number) for number in range(COUNT)], actor="key:test")
    validate_leads(store)


def mended(store: Store) -> None:
    """The same, with a recipe applied."""
    quarantined(store)
    mend_events(store, EVERY, RECIPE, actor=login("cli:ada"))


def discarded(store: Store) -> None:
    """The same, given up."""
    quarantined(store)
    discard_events(store, EVERY, why="spam", actor=login("cli:ada"))


def acts(action: str) -> Callable[[Store], int]:
    """How many events were acted on so, by the person at the command line."""

    def count(store: Store) -> int:
        with store.read() as tx:
            found = select(func.count(), func.count(audit.c.event_id.distinct())).where(
                audit.c.action == action, audit.c.actor != "cli:ada"
            )
            every, distinct = tx.execute(found).one()
            assert every == distinct, "an event was acted on twice"
            return int(every)

    return count


@pytest.mark.processes
@pytest.mark.parametrize(
    ("given", "words", "action"),
    [
        (mended, "replay --workflow leads", "replay"),
        (quarantined, "fix --workflow leads --rename customer_tier=tier", "amend"),
        (mended, "fix --workflow leads --reset --again", "amend"),
        (quarantined, "recipe --workflow leads --rename customer_tier=tier --apply", "amend"),
        (quarantined, "discard --workflow leads --why 'a test, no more'", "discard"),
        (discarded, "restore --workflow leads --why 'the wrong filter'", "restore"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else value.__name__,
)
def test_ctrl_c_says_how_far_an_act_came_and_how_to_go_on(
    store: Store, given: Callable[[Store], None], words: str, action: str
) -> None:
    given(store)
    count = acts(action)
    command = f"quarantine {words}"

    said = interrupted(store, shlex.split(command), count)

    done = count(store)
    assert 0 < done < COUNT
    first, *more = said.splitlines()
    assert first == f"stopped after {done:,} of 800; go on with: meshline {command}"
    assert bool(more) == (action == "discard")
    with started(store, shlex.split(command)) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert count(store) == COUNT


@pytest.mark.processes
def test_a_command_that_goes_on_means_the_same_times(store: Store) -> None:
    quarantined(store)
    words = ["quarantine", "discard", "--since", "2h", "--why", "spam"]

    said = interrupted(store, words, acts("discard"))

    first, _ = said.splitlines()
    assert re.search(r"discard --since 20\d\d-[0-9T:.-]+(Z|\+00:00) --why spam$", first)


@pytest.mark.processes
def test_ctrl_c_in_a_discard_says_what_takes_back_what_was_done(store: Store) -> None:
    quarantined(store)
    words = ["quarantine", "discard", "--workflow", "leads", "--text", "ex", "--why", "spam"]

    said = interrupted(store, words, acts("discard"))

    done = acts("discard")(store)
    _, back = said.splitlines()
    found = re.fullmatch(r"take it back with: `meshline (.* --workflow leads --text ex .*)`", back)
    assert found
    with started(store, shlex.split(found[1])) as process:
        out, said = process.communicate()
    assert process.returncode == 0, said
    assert f"restored {done}" in out


@pytest.mark.processes
def test_ctrl_c_in_an_emit_of_a_file_says_from_which_line_to_go_on(
    store: Store, tmp_path: Path
) -> None:
    publish_leads(store)
    file = tmp_path / "leads.jsonl"
    lines = [f'{{"email": "{n}@example.com", "tier": "pro"}}\n' for n in range(COUNT)]
    file.write_text("\n".join(lines))  # a blank one after each
    words = ["emit", "lead.created", "--client", "acme", "--lines", "--file", str(file)]

    said = interrupted(store, words, accepted)

    done = accepted(store)
    line = 2 * done  # the blank one after the last is still to be read
    command = f"meshline {shlex.join(words)} --from-line {line}"
    assert 0 < done < COUNT
    assert said == f"stopped after line {line - 1:,} of 1,599; go on with: {command}\n"
    with started(store, shlex.split(command)[1:]) as process:
        out, said = process.communicate()
    assert process.returncode == 0, said
    assert len(out.split()) == COUNT - done
    assert accepted(store) == COUNT


def accepted(store: Store) -> int:
    """How many events there are."""
    with store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(events)).scalar_one())


def test_a_line_to_begin_at_needs_lines(meshline: CommandLine) -> None:
    words = ("emit", "lead.created", "--client", "acme", "--data", "{}", "--from-line", "2")

    assert "it goes with --lines" in meshline(*words).usage


def test_keys_of_lines_are_the_same_wherever_it_begins(meshline: CommandLine) -> None:
    meshline.publish()
    words = ("emit", "lead.created", "--client", "acme", "--lines", "-", "--key", "may")
    lines = "".join(f'{{"email": "{n}@example.com", "tier": "pro"}}\n' for n in range(3))

    every = meshline(*words, stdin=lines).out.split()
    later = meshline(*words, "--from-line", "2", stdin=lines).out.split()

    assert later == every[1:]


def test_the_bar_of_a_run_that_goes_on_begins_where_the_last_one_ended(
    meshline: CommandLine,
) -> None:
    with meshline.store() as store:
        publish_leads(store)
        accept_batch(store, [renamed_lead(number) for number in range(30)], actor="key:test")
        validate_leads(store)
        mend_events(store, EVERY, RECIPE, actor=login("cli:ada"))
        token = plan_replay(store, EVERY, catalog=CATALOG, actor=login("cli:ada")).token

        def stop(_: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_plan(store, token, actor=login("cli:ada"), rate=20, progress=stop)

    shown = meshline.on_screen("quarantine", "run", token, TERM="xterm")

    assert re.findall(r"(\d+)/30", shown)[0] == "20"
    assert "replayed 10 of 30, 20 before" in shown
