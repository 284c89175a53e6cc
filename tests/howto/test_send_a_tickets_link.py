"""The page about a ticket's link: its file passes its own test, and shows what the command says."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.operations.run_tests import run_tests
from tests.cli.desk import CommandLine
from tests.house.pages import blocks

PAGE = "docs/howto/send-a-tickets-link.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The page's workflow."""
    (shown,) = [block for block in blocks(PAGE, "yaml") if block.startswith("workflow:")]
    path = tmp_path / "tickets.yaml"
    path.write_text(shown)
    return path


def test_the_files_own_test_passes(file: Path) -> None:
    workflow = read_workflow(file, catalog(load_connectors(None)))

    (run,) = run_tests(workflow)

    assert run.unmet == ()


def test_the_page_shows_what_the_command_says(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    meshline = CommandLine(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(file.parent)
    command = next(one for one in blocks(PAGE, "sh") if "--data" in one)
    (shown,) = blocks(PAGE, "text")

    payload = command.partition("--data '")[2].rstrip("\n'")
    ran = meshline("workflow", "try", file.name, "--data", payload)

    assert (ran.code, ran.out) == (0, shown)
