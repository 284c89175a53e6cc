"""Inputs for one process that reads them: made, sent, timed, and judged one by one."""

from __future__ import annotations

import json
import os
import random
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from tests.fuzz.bounds import MEMORY, SECONDS, WALL_SECONDS, Finding, Kind
from tests.fuzz.files import definition_file, recipe_file, workflow_file
from tests.fuzz.plants import SECRET
from tests.fuzz.schemas import Schemas
from tests.fuzz.subject_process import send
from tests.fuzz.values import Maker, mangled, written

MAKERS: Mapping[str, Callable[[Maker], bytes]] = {
    "body": lambda make: mangled(make.chance, written(make.value(5))),
    "payload": lambda make: written(make.almost_lead()),
    "contract": lambda make: written([Schemas(make).any(), _fitting(make)]),
    "workflow": workflow_file,
    "definition": definition_file,
    "recipe": recipe_file,
}
_SHARES = {
    "body": 300,
    "payload": 300,
    "contract": 250,
    "recipe": 60,
    "workflow": 16,
    "definition": 10,
}


class SubjectEnded(Exception):
    """Raised when the process ended by itself, or gave no answer and was ended."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class SubjectProcess:
    """One process of subjects; it is started anew after each that ended."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, name: str, raw: bytes) -> dict[str, object]:
        """What came of one input. Raises SubjectEnded."""
        process = self._started()
        assert process.stdin
        try:
            send(process.stdin, name, raw)
        except OSError:
            raise self._ended(Kind.CRASHED, "it had ended") from None
        answer: dict[str, object] = json.loads(self._line())
        return answer

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.subject_process"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=self._environment,
            )  # fmt: skip
            self._line()
        return self._process

    def _line(self) -> bytes:
        assert self._process and self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(WALL_SECONDS):
                raise self._ended(Kind.SLOW, f"no answer within {WALL_SECONDS:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._ended(Kind.CRASHED, "the process ended")
        return line

    def _ended(self, kind: Kind, detail: str) -> SubjectEnded:
        said = b""
        if self._process is not None:
            if kind is Kind.CRASHED:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(5)  # so that its own last words are there
            self._process.kill()
            _, said = self._process.communicate()
            self._process = None
        return SubjectEnded(kind, f"{detail} {said.decode(errors='replace')[-1500:]}".strip())


def surfaces(seed: int, inputs: int) -> Iterator[tuple[str, int]]:
    """Which subject gets which input: drawn by the seed."""
    chance = random.Random(f"{seed}:surfaces")
    names, weights = list(_SHARES), list(_SHARES.values())
    for number, name in enumerate(chance.choices(names, weights, k=inputs)):
        yield name, number


def feed(process: SubjectProcess, name: str, number: int, seed: int, secret: str) -> list[Finding]:
    """Make one input, send it, and judge what came of it."""
    raw = MAKERS[name](Maker(random.Random(f"{seed}:{name}:{number}")))
    try:
        answer = process.run(name, raw)
    except SubjectEnded as end:
        found = [(end.kind, end.detail)]
    else:
        found = list(_judged(answer, secret))
    return [
        Finding(kind=kind, surface=name, number=number, detail=detail, raw=raw)
        for kind, detail in found
    ]


def _judged(answer: dict[str, object], secret: str) -> Iterator[tuple[Kind, str]]:
    seconds, grown = float(str(answer["seconds"])), int(str(answer["bytes"]))
    if answer["outcome"] == "crashed":
        yield Kind.CRASHED, str(answer["crash"])
    if seconds > SECONDS:
        yield Kind.SLOW, f"{seconds:.1f} s of processor time"
    if grown > MEMORY:
        yield Kind.SLOW, f"{grown / 2**20:.0f} MiB of memory"
    if secret in f"{answer['told']}{answer['crash']}":
        yield Kind.LEAKED, f"{SECRET} is in what a person would be told"


def _fitting(make: Maker) -> object:
    """A payload for any schema; some nest as deep as a body may."""
    if make.one_in(4):
        return make.deep(make.chance.choice((8, 20, 60)))
    return make.value(5)
