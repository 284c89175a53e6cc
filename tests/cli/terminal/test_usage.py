"""Wrong usage is one line, and no failure shows a traceback unasked."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from orchestrator import __version__
from orchestrator.cli.terminal.failures import run
from tests.cli.desk import CommandLine

PROJECT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "orchestrator.cli.main")


def test_it_says_its_version(meshline: CommandLine) -> None:
    assert meshline("--version").out == f"meshline {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("quarantine", "fixx"), "Did you mean 'fix'?"),
        (("events", "list", "--colour"), "no such option: --colour"),
        (("events", "list", "--state", "lost"), "'lost' is not one of 'accepted', 'validated'"),
        (("events", "list", "--limit", "0"), "greater than or equal to 1"),
        (("events", "list", "--limit", "many"), "'--limit'"),
        (("events", "show"), "missing argument 'ID'"),
        (("quarantine", "discard", "x"), "missing option '--why'"),
        (("quarantine", "list", "--reason", "bad_luck"), "contract_violation"),
        (("emit", "lead.created", "--client", "acme"), "give the data once"),
        (("keys", "create", "--label", "shop"), "--all-clients"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    meshline: CommandLine, words: tuple[str, ...], said: str
) -> None:
    ran = meshline(*words)

    (line,) = ran.err.splitlines()
    assert (ran.code, ran.out) == (2, "")
    assert line.startswith("error: ")
    assert said in line
    assert "--help`" in line


def test_an_argument_that_is_not_utf_8_is_wrong_usage(meshline: CommandLine) -> None:
    ran = meshline("events", "show", os.fsdecode(b"caf\xe9"))

    assert ran.code == 2
    assert ran.err == "error: invalid value: argument 3 is not UTF-8\n"


def test_a_fault_of_our_own_is_one_line_with_a_way_to_see_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = typer.Typer()

    @broken.command()
    def command() -> None:
        raise LookupError("first line\nsecond line")

    assert run(broken, []) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: unexpected LookupError: first line; set MESHLINE_DEBUG=1")

    monkeypatch.setenv("MESHLINE_DEBUG", "1")
    assert run(broken, []) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("audit --limit 1000 --json", "{"),
        ("audit --limit 1000", "WHEN"),
        ("-h", ""),
    ],
)
def test_nothing_is_said_when_the_reader_leaves(
    meshline: CommandLine, words: str, read: str
) -> None:
    meshline.leads(200)
    reading, writing = os.pipe()
    # The smallest pipe there is: what the command says does not fit in it, however slow the reader.
    if sys.platform == "linux":
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)

    command = subprocess.Popen(
        [*COMMAND, *words.split()],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    got = os.read(reading, len(read)).decode() if read else ""
    os.close(reading)
    _, said = command.communicate(timeout=60)

    assert (command.returncode, got, said) == (141, read, "")


def test_ctrl_c_ends_a_command_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    slow = typer.Typer()

    @slow.command()
    def command() -> None:
        raise KeyboardInterrupt

    assert run(slow, []) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_said_plainly(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--version"],
            cwd=PROJECT,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"
