"""An embedded MariaDB for tests, from the system's binaries, with its data in its own folder."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import EmbeddedServer, Program
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

_USER = "meshline"
_CALM = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=32M",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--skip-log-bin",
)
_FIRST = """\
CREATE USER '{user}'@'{host}' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO '{user}'@'{host}';
ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket;
"""


@contextmanager
def embedded_mariadb() -> Iterator[EmbeddedServer]:
    """A new MariaDB for the length of the block; its data goes with it.

    It does not wait for the disk: a crash of the machine is not what its tests are about. Raises
    StartupFailed where it is not installed, or does not start.
    """
    server = find_server()
    with tempfile.TemporaryDirectory(prefix="meshline-mariadb-") as folder:
        home = Path(folder)
        password = secrets.token_hex(16)
        first = home / "first.sql"
        first.touch(mode=0o600)
        first.write_text(_FIRST.format(user=_USER, host=LOOPBACK, password=password))
        _initialise(home / "data")
        port = free_port()
        command = (
            *(str(server), "--no-defaults", *_as_root(), *_CALM),
            *(f"--datadir={home / 'data'}", f"--tmpdir={home}", f"--init-file={first}"),
            *(f"--socket={home / 'socket'}", f"--pid-file={home / 'pid'}"),
            *(f"--bind-address={LOOPBACK}", f"--port={port}"),
        )
        with Supervisor(home) as supervisor:
            process = supervisor.start(
                Program(
                    name="mariadb",
                    command=command,
                    environment={"LC_ALL": "C"},
                    ready=says("ready for connections"),
                    stop_signal=signal.SIGKILL,  # its data goes anyway, and to tidy up takes long
                    folder=home,
                )
            )
            url = f"mariadb://{_USER}:{password}@{LOOPBACK}:{port}/mysql"
            yield EmbeddedServer(url=url, process=process)


def find_server() -> Path:
    """The installed server. Raises StartupFailed where there is none."""
    found = _find("mariadbd")
    if found is None or _find("mariadb-install-db") is None:
        raise StartupFailed("there is no MariaDB to embed: `apt-get install mariadb-server`")
    return Path(found)


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _initialise(data: Path) -> None:
    done = subprocess.run(
        [
            *(_find("mariadb-install-db") or "", "--no-defaults", *_as_root()),
            *(f"--datadir={data}", "--skip-test-db", "--innodb-flush-method=nosync"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartupFailed(f"MariaDB's mariadb-install-db failed: {done.stderr.strip()[-500:]}")


def _as_root() -> tuple[str, ...]:
    return ("--user=root",) if os.geteuid() == 0 else ()
