"""Someone who does what a page says, in a folder and terminals of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded.child import Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

ROOT = Path(__file__).parents[2]
_STEP = re.compile(
    r"(?ms)(?:^`([\w./-]+)`:\n\n)?^```(json|yaml|sh|text|(?<=:\n\n```)python)\n(.*?)^```$"
)
_STAYS = {
    "meshline up": "everything runs",
    "python -m orchestrator.sandbox.server": "a stand-in CRM and helpdesk on",
    "python manage.py runserver": "Quit the server",
    "flask run": "Running on",
    "uvicorn app:app": "startup complete",
    "celery -A tasks worker": " ready.",
}
"""Commands that keep a terminal, and what they say when they are ready."""
_LOOKS = re.compile(r"meshline [a-z-]+ (show|list|diagnose)\b|meshline audit\b")
_PATIENCE = 30.0  # seconds in which what a page shows has to come true
# What a terminal keeps from one block to the next: whatever is set in it.
_KEPT = "set -a\n{script}\nenv -0 > {file}\n"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One block of a page."""

    file: str  # what it is to be written to; empty: it is none
    kind: str  # json, yaml, python, sh or text
    text: str


def steps(page: Path) -> Iterator[Step]:
    """The blocks of a page that are to be done, in order."""
    for file, kind, text in _STEP.findall(page.read_text("utf-8")):
        yield Step(file=file, kind=kind, text=text)


class Reader:
    """Writes the page's files, runs its commands, and looks for its outputs."""

    def __init__(
        self,
        folder: Path,
        supervisor: Supervisor,
        *,
        instead: Mapping[str, str] | None = None,
        port: tuple[str, str] | None = None,
    ) -> None:
        """With `instead`, these variables keep their values, whatever the page says.

        `port` is one that the page names, and a free one that is taken for it.
        """
        self.folder = folder
        self.output = ""
        self._script = ""
        self._instead = dict(instead or {})
        self._port = port
        self._kept = folder / "kept"
        self._supervisor = supervisor
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {"PATH": path, "MESHLINE_PORT": "0", "MESHLINE_FLOWER_PORT": "0"}

    def do(self, step: Step) -> None:
        """Do what a block says, or see what it shows."""
        text = step.text.replace(*self._port) if self._port else step.text
        *_, last = text.splitlines()
        stays = [said for command, said in _STAYS.items() if last.startswith(command)]
        if step.file:
            file = self.folder / step.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        elif step.kind == "text":
            self._see(text.splitlines())
        elif stays:
            self._open_terminal(text.removesuffix(f"{last}\n"), last, stays[0])
        else:
            self._script = re.sub(r"\bTOKEN\b", self._token(), text)
            self._run(self._script)

    def _see(self, lines: list[str]) -> None:
        """Between a trigger and its arrival a reader takes a breath, and looks again."""
        looks = "".join(
            line for line in self._script.splitlines(keepends=True) if _LOOKS.match(line)
        )
        end = time.monotonic() + _PATIENCE
        while (missing := [line for line in lines if not self._saw(line)]) and looks:
            if time.monotonic() > end:
                break
            time.sleep(0.2)
            self._run(looks)
        assert not missing, f"{missing} is not in:\n{self.output}"

    def _token(self) -> str:
        found = re.search(r"plan ([0-9a-f]{12})", self.output)
        return found[1] if found else "TOKEN"

    def _run(self, script: str) -> None:
        kept = self._kept
        done = subprocess.run(
            ("bash", "-eu", "-c", _KEPT.format(script=script, file=kept)),
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=90,
        )
        self.output = done.stdout
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        lines = kept.read_text("utf-8").split("\0")
        self._environment = dict(line.split("=", 1) for line in lines if line) | self._instead
        self.folder = Path(self._environment["PWD"])

    def _open_terminal(self, before: str, command: str, ready: str) -> None:
        """Another terminal in the same folder, with what the page has set so far."""
        self._supervisor.start(
            Program(
                name=command.rsplit(maxsplit=1)[-1],
                command=("bash", "-eu", "-c", f"{before}exec {command}"),
                environment=self._environment,
                folder=self.folder,
                ready=says(ready),
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
