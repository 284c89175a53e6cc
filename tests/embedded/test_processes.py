"""Children start in order, stop in reverse, and nothing of them outlives their supervisor."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import answers, listens, says
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

SLEEPER = (sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(600)")

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = (sys.executable, "-c", _STUBBORN)

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print("grandchild", child.pid, flush=True)
time.sleep(600)
"""
PARENT = (sys.executable, "-c", _PARENT, _STUBBORN)  # leaves when asked; what it started does not


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "home") as supervisor:
        yield supervisor


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and unburied does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def grandchild_of(output: str) -> int:
    return int(output.split("grandchild")[1].split(maxsplit=1)[0])


def test_a_child_is_ready_when_its_log_says_so(supervisor: Supervisor) -> None:
    child = supervisor.start(Program(name="sleeper", command=SLEEPER, ready=says("ready")))

    assert child.running
    assert child.output() == "ready\n"


def test_a_child_is_ready_when_its_port_answers(supervisor: Supervisor) -> None:
    port = free_port()
    serve = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))

    child = supervisor.start(Program(name="web", command=serve, ready=listens(port)))

    assert answers(f"http://127.0.0.1:{port}/")(child)
    assert not answers(f"http://127.0.0.1:{port}/nowhere")(child)


def test_a_child_that_dies_at_once_is_reported_with_the_end_of_its_log(
    supervisor: Supervisor,
) -> None:
    command = (sys.executable, "-c", "print('no such table'); raise SystemExit(3)")

    with pytest.raises(StartupFailed) as failed:
        supervisor.start(Program(name="door", command=command, ready=says("ready")))

    assert "door ended with 3" in str(failed.value)
    assert "no such table" in str(failed.value)


def test_a_report_shows_this_start_and_not_an_earlier_one(supervisor: Supervisor) -> None:
    child = supervisor.start(Program(name="sleeper", command=SLEEPER, ready=says("ready")))
    child.log.write_text("from an earlier start\n" + child.log.read_text())
    child.kill()

    child.start()

    assert "earlier" not in child.output()


def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    program = Program(name="ghost", command=("/nowhere/ghost",), ready=says("ready"))

    with pytest.raises(StartupFailed, match=r"ghost ended with 127(.|\n)*/nowhere/ghost"):
        supervisor.start(program)


def test_a_child_that_is_never_ready_is_given_up_and_killed(supervisor: Supervisor) -> None:
    program = Program(name="slow", command=PARENT, ready=lambda _: False, ready_within=2)

    with pytest.raises(StartupFailed, match="slow was not ready within 2 s") as failed:
        supervisor.start(program)

    wait_until(lambda: not alive(grandchild_of(str(failed.value))))


_LAST_WORDS = """
import signal, sys

def leave(*_):
    with open(sys.argv[1], "a") as book:
        book.write(sys.argv[2] + " ")
    sys.exit()

signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
signal.pause()
"""


def test_children_stop_in_reverse(tmp_path: Path) -> None:
    book = tmp_path / "book"
    with Supervisor(tmp_path) as supervisor:
        for name in ("broker", "relay", "worker"):
            command = (sys.executable, "-c", _LAST_WORDS, str(book), name)
            supervisor.start(Program(name=name, command=command, ready=says("ready")))

    assert book.read_text() == "worker relay broker "


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(
            Program(name="worker", command=STUBBORN, ready=says("ready"), stop_within=0.5)
        )

    assert not alive(child.pid)
    assert "ended by SIGKILL" in child.obituary()


def test_what_a_child_has_started_goes_with_it(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(Program(name="parent", command=PARENT, ready=says("grandchild")))
        grandchild = grandchild_of(child.output())
        assert alive(grandchild)

    wait_until(lambda: not alive(grandchild))


def test_a_killed_child_can_be_started_again(supervisor: Supervisor) -> None:
    child = supervisor.start(Program(name="sleeper", command=SLEEPER, ready=says("ready")))
    first = child.pid

    child.kill()
    assert not alive(first)
    child.start()

    assert child.running
    assert child.pid != first


def test_a_child_gets_its_own_environment_and_no_input(supervisor: Supervisor) -> None:
    command = (
        sys.executable,
        "-c",
        "import os, sys; print(os.environ['COLOUR'], repr(sys.stdin.read()), 'done', flush=True)",
    )
    program = Program(name="child", command=command, environment={"COLOUR": "blue"})

    child = supervisor.start(program)

    wait_until(lambda: "done" in child.output())
    assert child.output() == "blue '' done\n"


def test_an_error_in_the_block_stops_the_children(tmp_path: Path) -> None:
    started = []

    def run() -> None:
        with Supervisor(tmp_path) as supervisor:
            started.append(
                supervisor.start(Program(name="sleeper", command=SLEEPER, ready=says("ready")))
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()

    assert not started[0].running


def test_a_home_folder_has_one_supervisor_at_a_time(tmp_path: Path) -> None:
    with Supervisor(tmp_path):
        with pytest.raises(StartupFailed) as refused, Supervisor(tmp_path):
            pass
        assert f"in use by process {os.getpid()}" in str(refused.value)

    with Supervisor(tmp_path):
        pass  # it is free again


def test_a_home_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartupFailed, match="MESHLINE_HOME"), Supervisor(tmp_path / "file"):
        pass


_UP = """
import json, signal, sys
from pathlib import Path
from orchestrator.embedded.child import Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
home, stubborn, parent = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
with Supervisor(Path(home), grace=1) as supervisor:
    for name, command, word in (("stubborn", stubborn, "ready"), ("parent", parent, "grandchild")):
        supervisor.start(
            Program(name=name, command=tuple(command), ready=says(word), stop_within=1)
        )
    print("up", flush=True)
    supervisor.keep_running(lambda line: print(line, flush=True))
"""


@dataclass(frozen=True)
class Up:
    """A supervisor in a process of its own, with two children, a grandchild and its guard."""

    process: subprocess.Popen[str]
    below: tuple[int, ...]

    def child(self, words: str) -> int | None:
        for one in psutil.Process(self.process.pid).children():
            if one.status() != psutil.STATUS_ZOMBIE and words in " ".join(one.cmdline()):
                return int(one.pid)
        return None


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    commands = (json.dumps(STUBBORN), json.dumps(PARENT))
    process = subprocess.Popen(
        [sys.executable, "-c", _UP, str(tmp_path), *commands], stdout=subprocess.PIPE, text=True
    )
    with process, process.stdout or io.StringIO() as output:
        assert output.readline() == "up\n"
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) == 4
        yield Up(process, tuple(one.pid for one in below))
        process.kill()


def test_nothing_stays_behind_a_supervisor_that_was_killed(up: Up, tmp_path: Path) -> None:
    up.process.kill()

    wait_until(lambda: not any(map(alive, up.below)))
    with Supervisor(tmp_path):
        pass  # and the home folder is free


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_stays_behind_a_supervisor_that_was_asked_to_stop(
    up: Up, number: signal.Signals
) -> None:
    up.process.send_signal(number)
    up.process.wait(timeout=30)

    assert not any(map(alive, up.below))


def test_a_child_that_dies_is_reported_and_started_again(up: Up) -> None:
    assert up.process.stdout is not None
    victim = up.child('print("ready"')
    assert victim is not None

    os.kill(victim, signal.SIGKILL)

    assert "stubborn ended (signal 9); started again" in up.process.stdout.readline()
    wait_until(lambda: up.child('print("ready"') not in {None, victim})


def test_a_child_that_cannot_be_started_again_ends_neither_its_supervisor_nor_the_others(
    up: Up, tmp_path: Path
) -> None:
    assert up.process.stdout is not None
    victim, other = up.child('print("ready"'), up.child("Popen")
    assert victim is not None and other is not None
    log = tmp_path / "logs" / "stubborn.log"
    log.unlink()
    log.mkdir()  # as a folder nobody can append to it

    os.kill(victim, signal.SIGKILL)
    assert "trouble: stubborn cannot be started: " in up.process.stdout.readline()
    os.kill(other, signal.SIGKILL)
    assert "parent ended (signal 9); started again" in "".join(
        up.process.stdout.readline() for _ in range(2)
    )
    log.rmdir()

    wait_until(lambda: up.child('print("ready"') not in {None, victim})


def test_a_child_is_not_started_again_beside_what_it_had_started(up: Up) -> None:
    victim = up.child("Popen")
    assert victim is not None
    (grandchild,) = psutil.Process(victim).children()

    os.kill(victim, signal.SIGKILL)

    wait_until(lambda: up.child("Popen") not in {None, victim})
    assert not alive(grandchild.pid)
