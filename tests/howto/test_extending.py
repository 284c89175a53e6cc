"""Each page of docs/howto/extend is done as it is, in a copy of the project.

A page has steps: a file to write, lines to change, a command to run, an output to see. All of them
together end well; and where one is left out, a later one fails, so no page says too little or too
much.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.store.database.schema import HEAD

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "howto" / "extend"
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "README")
_STEP = re.compile(r"(?ms)(?:^`([\w./-]+)`:\n\n)?^```(python|yaml|diff|sh|text)\n(.*?)^```$")
_FOLDERS = ("orchestrator", "workers", "connectors", "sdk", "benchmarks", "tests", "docs", "tools")
_MAKE = """\
#!/bin/sh
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
case $1 in
  docs) exec python -m tools.docs ;;
  test) eval exec python -m pytest -q -x -p no:cacheprovider -m bare "${2#ARGS=}" ;;
  *) exit 2 ;;
esac
"""
"""The targets of make that the pages name, done with what is installed: a copy installs nothing.

No page's tests need the plugins of what is installed, which take a second to load.
"""


class NotDone(Exception):
    """Raised when a step of a page cannot be done, or does not end as the page says."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One block of a page."""

    file: str  # to be written or changed; empty where the block is a command or its output
    kind: str  # python, yaml, diff, sh or text
    text: str


def steps_of(page: str) -> list[Step]:
    """The blocks of a page in order, the numbers of migrations filled in."""
    following = f"{int(HEAD) + 1:04}"
    text = (FOLDER / f"{page}.md").read_text("utf-8")
    text = re.sub(r"\bNEXT(?=\b|_)", following, text.replace("NEWEST", HEAD))
    return [Step(file=file, kind=kind, text=body) for file, kind, body in _STEP.findall(text)]


class Copy:
    """The project once more, for someone who changes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changed: set[str] = set()
        self._output = ""
        for name in (*_FOLDERS, "workflows"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("build"))
        for path in [*ROOT.glob("*.md"), *ROOT.glob("*.lock"), ROOT / "pyproject.toml"]:
            shutil.copy2(path, folder)
        shutil.copy2(ROOT / "Makefile", folder)
        make = folder / "bin" / "make"
        make.parent.mkdir()
        make.write_text(_MAKE)
        make.chmod(0o755)

    def follow(self, steps: Sequence[Step]) -> None:
        """Do every step in order. Raises NotDone."""
        for step in steps:
            self._do(step)

    def _do(self, step: Step) -> None:
        if step.kind == "sh":
            self._output = self.run(step.text)
        elif step.kind == "text":
            self._see(step.text)
        elif step.kind == "diff":
            self._change(step)
        else:
            file = self.folder / step.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(step.text)
            self.changed.add(step.file)

    def _change(self, step: Step) -> None:
        """Replace the lines that a block shows; `@@` parts two places of one file."""
        file = self.folder / step.file
        text = file.read_text("utf-8")
        for place in step.text.split("@@\n"):
            lines = place.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] != "+")
            after = "".join(line[1:] for line in lines if line[0] != "-")
            if (found := text.count(before)) != 1:
                raise NotDone(f"{step.file} has these lines {found} times:\n{before}")
            text = text.replace(before, after)
        file.write_text(text, "utf-8")
        self.changed.add(step.file)

    def _see(self, lines: str) -> None:
        """See each line in the last output; `…` stands for anything."""
        for line in lines.splitlines():
            pattern = ".*".join(re.escape(part) for part in line.split("…"))
            if not re.search(f"(?m)^{pattern}$", self._output):
                raise NotDone(f"{line!r} is not in:\n{self._output}")

    def run(self, script: str) -> str:
        """What a command says. Raises NotDone where it fails."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        done = subprocess.run(
            ("bash", "-eu", "-c", script),
            cwd=self.folder,
            env={
                **kept,
                "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": f"{self.folder}:{self.folder / 'sdk'}",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=240,  # many tests may run beside it
        )
        if done.returncode:
            raise NotDone(f"{script}{done.stdout}{done.stderr}")
        return done.stdout


def left_out() -> list[tuple[str, int]]:
    """Every step that changes a file, by its page and its place there.

    A new file that is left out needs no look: what uses it fails.
    """
    return [
        (page, number)
        for page in PAGES
        for number, step in enumerate(steps_of(page))
        if step.kind == "diff" or step.text == "make docs\n"
    ]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_leads_to_its_proof(page: str, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")

    copy.follow(steps_of(page))

    code = " ".join(sorted(name for name in copy.changed if name.endswith(".py")))
    copy.run(f"ruff check --no-cache {code}\nruff format --no-cache --check {code}")


@pytest.mark.slow
@pytest.mark.parametrize(("page", "number"), left_out())
def test_a_page_without_one_of_its_steps_fails(page: str, number: int, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    steps = steps_of(page)
    del steps[number]

    with pytest.raises(NotDone):
        copy.follow(steps)


def test_every_page_is_in_the_index() -> None:
    index = (FOLDER / "README.md").read_text("utf-8")

    assert sorted(re.findall(r"\]\((\w+)\.md\)", index)) == PAGES
