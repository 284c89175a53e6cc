"""`meshline workflow test`: the tests of workflow files, each passed or what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put_json, put_line
from orchestrator.cli.workflow.file_tests import ShownTest, run_file
from orchestrator.cli.workflow.files import read_files, tell_faults


def show_tests(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Workflow files.")],
    as_json: AsJson = False,
) -> None:
    """Run the tests of workflow files, and show each: passed, or what differs.

    Nothing is stored, and nothing is called. A failed test makes the exit code 1.

    Example: meshline workflow test workflows/*.yaml
    """
    read = read_files(files)
    tests = [one for file in read.files for one in run_file(file)]
    failed = sum(not one.passed for one in tests)
    if as_json:
        put_json(
            {
                "ok": not failed and not read.faults,
                "passed": len(tests) - failed,
                "failed": failed,
                "faults": [one.as_json() for one in read.faults],
                "tests": tests,
            }
        )
    else:
        for one in tests:
            _put(one)
        tell_faults(read)
        for file in read.files:
            if not file.workflow.tests:
                note(f"{file.name} has no tests: write some under `tests:`")
        note(f"{len(tests) - failed} passed, {failed} failed")
    if failed or read.faults:
        raise typer.Exit(1)


def _put(one: ShownTest) -> None:
    where = f"{one.file}:{one.line}" if one.line else one.file
    put_line(f"{where}: {'passed' if one.passed else 'failed'}: {one.name}")
    for difference in one.differences:
        put_line(f"  line {difference.line}: {difference.path}: {difference.problem}")
