"""The page is done as it stands: its files are written, its commands run, its outputs seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.embedded.child import Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from tests.howto.kontor import Kontor

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-connector.md"
_STEP = re.compile(r"(?ms)(?:^`([\w./-]+)`:\n\n)?^```(yaml|sh|text)\n(.*?)^```$")
# Between a trigger and its arrival a reader takes a breath, and so does this one.
_PATIENTLY = """
for look in $(seq 100); do
  said=$(meshline events show $id)
  case $said in *delivered*) break ;; esac
  sleep 0.2
done
echo "$said"
"""
_VARIABLE = re.compile(r"(?m)^export (\w+)=(.*)$")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One block of the page."""

    file: str  # what it is to be written to; empty: it is none
    kind: str  # yaml, sh or text
    text: str


class Reader:
    """Someone who does what the page says, in a folder and two terminals of their own."""

    def __init__(self, folder: Path, kontor: Kontor, supervisor: Supervisor) -> None:
        self.folder = folder
        self.output = ""
        self._kontor = kontor
        self._supervisor = supervisor
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        home = {"MESHLINE_HOME": str(folder / "home"), "PATH": path}
        self._environment = {**home, "MESHLINE_PORT": "0", "MESHLINE_FLOWER_PORT": "0"}

    def do(self, step: Step) -> None:
        if step.file:
            file = self.folder / step.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(step.text)
        elif step.kind == "text":
            missing = [one for one in step.text.splitlines() if not self._saw(one)]
            assert not missing, f"{missing} is not in:\n{self.output}"
        elif step.text == "meshline up\n":
            self._start_everything()
        elif step.text.startswith("export "):
            said = {**dict(_VARIABLE.findall(step.text)), "KONTOR_URL": self._kontor.url}
            self._environment |= {
                name: value.replace("$PWD", str(self.folder)) for name, value in said.items()
            }
        else:
            self._run(step.text)

    def _run(self, script: str) -> None:
        done = subprocess.run(
            ("bash", "-eu", "-c", script.replace("meshline events show $id", _PATIENTLY)),
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        self.output = done.stdout
        assert done.returncode == 0, done.stdout + done.stderr

    def _start_everything(self) -> None:
        self._supervisor.start(
            Program(
                name="up",
                command=(sys.executable, "-m", "orchestrator.cli.main", "up"),
                environment=self._environment,
                folder=PAGE.parents[2],
                ready=says("everything runs"),
                ready_within=60,
            )
        )

    def _saw(self, line: str) -> bool:
        """Whether the last output has the line, in columns or, as in a pipe, with tabs between.

        `…` stands for anything.
        """
        parts = (re.escape(part) for part in line.split("…"))
        pattern = ".*".join(re.sub(r"(\\ ){2,}", r"[ \\t]+", part) for part in parts)
        return re.search(f"(?m)^{pattern}$", self.output) is not None


def steps() -> Iterator[Step]:
    for file, kind, text in _STEP.findall(PAGE.read_text("utf-8")):
        yield Step(file=file, kind=kind, text=text)


@pytest.mark.processes
def test_the_page_leads_from_an_api_to_a_confirmed_handoff_without_code(tmp_path: Path) -> None:
    folder = tmp_path / "agency"
    folder.mkdir()
    with Kontor() as kontor, Supervisor(tmp_path / "terminal") as supervisor:
        reader = Reader(folder, kontor, supervisor)
        for step in steps():
            reader.do(step)

    (person,) = kontor.people.values()
    assert (person["name"], person["email"]) == ("Bo Ek", "bo@kontor.example")
    assert "DELETE /api/people/1" in kontor.asked
    written = {path.name for path in folder.rglob("*") if path.suffix in {".yaml", ".py"}}
    assert written == {"kontor.yaml", "people.yaml"}  # and no line of code
