"""The commands that become processes say in one line why they cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.ports import free_port

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).parents[3]
AWAY = {"MESHLINE_BROKER_URL": "redis://127.0.0.1:1/0"}


@contextmanager
def started(folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command as a process of its own, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli.main", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def refusal(folder: Path, *words: str, **environment: str) -> str:
    """The one line with which a process says why it does not start."""
    with started(folder, *words, **environment) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    (line,) = said.splitlines()
    return line


@pytest.mark.parametrize("command", ["worker", "relay"])
def test_without_a_broker_a_process_does_not_start(tmp_path: Path, command: str) -> None:
    line = refusal(tmp_path, command)

    assert line.startswith("error: there is no broker: set MESHLINE_BROKER_URL")


def test_a_worker_does_not_start_with_a_wrong_connector(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("connector: crm\nkind: carrier-pigeon\n")

    line = refusal(tmp_path, "worker", MESHLINE_CONNECTORS=str(tmp_path), **AWAY)

    assert line.startswith(f"error: {tmp_path}/crm.yaml: ")
    assert "kind: " in line


def test_flower_does_not_start_without_a_password(tmp_path: Path) -> None:
    assert "MESHLINE_FLOWER_PASSWORD" in refusal(tmp_path, "flower", **AWAY)


def test_up_names_every_port_in_use_before_it_starts_anything(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        socket.create_server(("127.0.0.1", 0)) as flower,
    ):
        ports = [str(one.getsockname()[1]) for one in (door, flower)]
        home = str(tmp_path / "home")
        line = refusal(
            tmp_path,
            "up",
            MESHLINE_HOME=home,
            MESHLINE_PORT=ports[0],
            MESHLINE_FLOWER_PORT=ports[1],
        )

    for port, setting in zip(ports, ("MESHLINE_PORT", "MESHLINE_FLOWER_PORT"), strict=True):
        assert f"port {port} on 127.0.0.1 is in use" in line and f"set {setting}" in line
    assert not (tmp_path / "home" / "valkey").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"MESHLINE_PORT": "PORT", "MESHLINE_FLOWER_PORT": "PORT"},
        {"MESHLINE_BROKER_URL": "redis://localhost:PORT/0", "MESHLINE_PORT": "PORT"},
        {"MESHLINE_DATABASE_URL": "postgresql://a@[::1]:PORT/b", "MESHLINE_FLOWER_PORT": "PORT"},
    ],
    ids=["door and Flower", "broker and door", "database and Flower"],
)
def test_up_names_two_settings_with_one_port_before_it_starts_anything(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    port = str(free_port())
    chosen = {"MESHLINE_PORT": "0", "MESHLINE_FLOWER_PORT": "0", **settings}
    named = {name: value.replace("PORT", port) for name, value in chosen.items()}

    line = refusal(tmp_path, "up", MESHLINE_HOME=str(tmp_path / "home"), **named)

    assert line == (
        f"error: {' and '.join(settings)} both name port {port}: set one of them to another port"
        " (0 takes a free one)"
    )
    assert not (tmp_path / "home" / "valkey").exists()


@pytest.mark.parametrize("command", ["api", "flower"])
def test_a_port_in_use_is_one_line(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        login = {"MESHLINE_FLOWER_PASSWORD": "correct horse battery"}
        line = refusal(tmp_path, command, "--port", port, **login, **AWAY)

    assert line.startswith(f"error: port {port} on 127.0.0.1 is in use")


def test_the_door_opens_where_it_is_told_to_and_closes_on_sigterm(tmp_path: Path) -> None:
    port_file = tmp_path / "port"

    with started(tmp_path, "api", "--port", "0", "--port-file", str(port_file)) as process:
        wait_until(port_file.exists, process)
        socket.create_connection(("127.0.0.1", int(port_file.read_text())), timeout=5).close()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_a_worker_takes_the_place_of_the_command_and_stops_on_sigterm(
    tmp_path: Path, valkey: EmbeddedServer, pool: str
) -> None:
    arguments = ("--pool", pool, "--processes", "1")

    with started(tmp_path, "worker", *arguments, MESHLINE_BROKER_URL=valkey.url) as process:
        read_until(" ready.", process)
        command = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
        os.killpg(process.pid, signal.SIGTERM)  # its pool's too, as some supervisors do it
        rest, _ = process.communicate(timeout=60)

    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert command[1:3] == ["-m", "celery"]
    assert command[command.index("--concurrency") + 1] == "1"
    assert command[command.index("--pool") + 1] == pool


def test_a_relay_takes_the_place_of_the_command_and_stops_on_sigterm(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    with started(tmp_path, "relay", MESHLINE_BROKER_URL=valkey.url) as process:
        said = read_until("relaying", process)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)

    assert process.returncode == 0, said + rest


def read_until(text: str, process: subprocess.Popen[str]) -> str:
    """What a process says up to the line that has `text` in it."""
    said = ""
    for line in process.stdout or ():
        said += line
        if text in line:
            return said
    pytest.fail(f"it never said {text!r}: {said}")


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for what a living process does."""
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
