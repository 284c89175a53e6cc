"""The page about trying shows what the command says, and its tests pass on the example."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.registry import catalog, load_connectors
from orchestrator.domain.workflows.file import parse_workflow, read_workflow
from orchestrator.operations.run_tests import run_tests
from tests.cli.desk import CommandLine
from tests.house.pages import EXAMPLE, ROOT, blocks

PAGE = "docs/howto/try-a-workflow.md"
CONNECTORS = ROOT / "workflows" / "connectors"


def test_the_page_shows_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    meshline = CommandLine(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(ROOT)
    commands, (shown,) = blocks(PAGE, "sh")[0], blocks(PAGE, "text")
    payload = commands.partition("--data '")[2].rstrip("\n'")

    ran = meshline("workflow", "try", "workflows/lead-routing.yaml", "--data", payload,
                   MESHLINE_CONNECTORS=str(CONNECTORS))  # fmt: skip

    assert (ran.code, ran.out) == (0, shown)


@pytest.mark.parametrize("page", [PAGE, "docs/reference/workflow-file.md"])
def test_the_tests_that_a_page_shows_pass_on_the_example(page: str, tmp_path: Path) -> None:
    yaml = YAML()
    example = yaml.load(EXAMPLE)
    (shown,) = [block for block in blocks(page, "yaml") if block.startswith("tests:")]
    example["tests"] = yaml.load(shown)["tests"]
    with (tmp_path / "leads.yaml").open("w") as file:
        yaml.dump(example, file)
    text = (tmp_path / "leads.yaml").read_text()

    known = catalog(load_connectors(CONNECTORS))
    runs = run_tests(parse_workflow(text, name="leads.yaml", catalog=known))

    assert len(runs) == 2
    assert [run.unmet for run in runs] == [(), ()]


def test_the_tests_of_the_example_pass() -> None:
    runs = run_tests(read_workflow(EXAMPLE, catalog(load_connectors(CONNECTORS))))

    assert len(runs) == 3
    assert all(run.passed for run in runs)
