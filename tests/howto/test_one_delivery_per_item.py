"""The page about items: its file passes its own tests, and shows what the command says."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.operations.run_tests import run_tests
from tests.cli.desk import CommandLine
from tests.house.pages import ROOT, blocks

PAGE = "docs/howto/one-delivery-per-item.md"
CONNECTORS = ROOT / "workflows" / "connectors"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The page's workflow."""
    (shown,) = blocks(PAGE, "yaml")
    path = tmp_path / "orders.yaml"
    path.write_text(shown)
    return path


def test_the_files_own_tests_pass(file: Path) -> None:
    runs = run_tests(read_workflow(file, catalog(load_connectors(CONNECTORS))))

    assert [run.unmet for run in runs] == [(), ()]


def test_the_page_shows_what_the_command_says(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    meshline = CommandLine(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(file.parent)
    (command,) = [block for block in blocks(PAGE, "sh") if "--data" in block]
    (shown,) = blocks(PAGE, "text")

    payload = command.partition("--data '")[2].rstrip("\n'")
    ran = meshline("workflow", "try", file.name, "--data", payload,
                   MESHLINE_CONNECTORS=str(CONNECTORS))  # fmt: skip

    assert (ran.code, ran.out) == (0, shown)
