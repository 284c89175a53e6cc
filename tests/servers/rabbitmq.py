"""An embedded RabbitMQ for tests and benchmarks, from the system's binaries; never for production.

Erlang nodes find each other through epmd, a daemon that outlives who started it. Here each server
has one of its own, on a port of its own, in its own process group.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import EmbeddedServer, Program
from orchestrator.embedded.ports import LOOPBACK, claim_port, free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

_USER = "meshline"
_CONFIG = """\
listeners.tcp.1 = {host}:{port}
default_user = {user}
default_pass = {password}
log.file = false
log.console = true
log.console.level = info
"""
_LAUNCH = 'epmd -port "$ERL_EPMD_PORT" -address "$ERL_EPMD_ADDRESS" & exec "$0"'
_SLOW_START = 90.0  # seconds; it loads hundreds of Erlang modules

# Debian's command in /usr/sbin runs as its own user only; what it wraps runs as anybody.
_UNWRAPPED = Path("/usr/lib/rabbitmq/bin")


def start_rabbitmq(folder: Path, supervisor: Supervisor, *, port: int = 0) -> EmbeddedServer:
    """Start RabbitMQ with its data in `folder`, on `port` or a free one, and wait until it serves.

    `process.kill()` is a crash of the whole server, and `process.start()` brings it back with its
    data. Raises StartupFailed where it is not installed, the port is taken, or it dies.
    """
    server = find_server()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = claim_port(port, setting="the broker's port")
    password = secrets.token_hex(24)
    _write_private(
        folder / "rabbitmq.conf",
        _CONFIG.format(host=LOOPBACK, port=port, user=_USER, password=password),
    )
    (folder / "plugins").write_text("[].\n")
    process = supervisor.start(
        Program(
            name="rabbitmq",
            command=("/bin/sh", "-c", _LAUNCH, str(server)),
            environment=_environment(folder.absolute()),
            folder=folder,
            ready=says("Server startup complete"),
            ready_within=_SLOW_START,
        )
    )
    return EmbeddedServer(url=f"amqp://{_USER}:{password}@{LOOPBACK}:{port}//", process=process)


@contextmanager
def embedded_rabbitmq(home: Path) -> Iterator[EmbeddedServer]:
    """RabbitMQ for the length of the block; for tests and benchmarks."""
    with Supervisor(home) as supervisor:
        yield start_rabbitmq(home / "rabbitmq", supervisor)


def add_vhost(server: EmbeddedServer, name: str) -> str:
    """Make an empty virtual host on a running server; answers its address. Takes about a second.

    Raises StartupFailed where the server refuses.
    """
    control(server, "add_vhost", name)
    control(server, "set_permissions", "-p", name, _USER, ".*", ".*", ".*")
    return f"{server.url.removesuffix('//')}/{quote(name, safe='')}"


def find_server() -> Path:
    """The installed server. Raises StartupFailed where there is none."""
    unwrapped = _UNWRAPPED / "rabbitmq-server"
    found = str(unwrapped) if unwrapped.exists() else shutil.which("rabbitmq-server")
    if found is None or shutil.which("epmd") is None:
        raise StartupFailed(
            "there is no RabbitMQ to embed: install rabbitmq-server (Debian, Ubuntu), or set"
            " MESHLINE_BROKER_URL to a broker of yours"
        )
    return Path(found)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder),  # of the cookie that Erlang nodes know each other by
        "RABBITMQ_NODENAME": f"{_USER}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,  # the machine's own is another server's
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_FLAGS": "-start_epmd false",
    }


def control(server: EmbeddedServer, *words: str) -> None:
    """Run `rabbitmqctl` on a running server. Raises StartupFailed where it refuses."""
    done = subprocess.run(
        [find_server().with_name("rabbitmqctl"), "--quiet", *words],
        env={**os.environ, **server.process.program.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartupFailed(f"rabbitmqctl {words[0]} failed: {(done.stderr or done.stdout)[-500:]}")


def _write_private(path: Path, text: str) -> None:
    # Not on the command line, which every user of the machine can read.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
