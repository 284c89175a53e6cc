"""The servers that a run uses: one broker, one database server, a session for each system."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from orchestrator.embedded.child import Child, EmbeddedServer, Program
from orchestrator.embedded.lifeline import signal_group
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from orchestrator.embedded.valkey import start_valkey
from tests.servers.postgres import embedded_postgres

PROCESSES = 2
"""Worker processes of every system."""

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


class Session:
    """One system's processes and its folder, from its start to its end."""

    def __init__(self, folder: Path, supervisor: Supervisor, servers: list[EmbeddedServer]) -> None:
        self.folder = folder
        self.broker_url = servers[0].url
        self.measured: list[Child] = [server.process for server in servers]
        self._supervisor = supervisor

    def start(self, *programs: Program) -> tuple[Child, ...]:
        """Start processes of the system under measure, all at once."""
        with ThreadPoolExecutor() as threads:
            started = tuple(threads.map(self._supervisor.start, programs))
        self.measured += started
        return started

    def last_words(self) -> str:
        """The end of each process's log."""
        return "\n".join(
            "\n  ".join([f"{child.program.name}:", *child.output().splitlines()[-20:]])
            for child in self.measured
        )


def python(name: str, *arguments: str, ready: str, environment: dict[str, str]) -> Program:
    """A Python module with its arguments, that is ready when it says a word."""
    return Program(
        name=name,
        command=(sys.executable, "-m", *arguments),
        environment=environment,
        ready=says(ready),
        ready_within=60,
        stop_signal=signal.SIGKILL,  # all it had to do is done, and was checked
    )


def celery_worker(app: str, environment: dict[str, str]) -> Program:
    """A plain Celery worker, with the same flags that ours has."""
    lean = ("--without-gossip", "--without-mingle", "-c", str(PROCESSES))
    arguments = ("celery", "-A", app, "worker", "-E", "-l", "warning", *lean)
    return python("worker", *arguments, ready=" ready.", environment=environment)


@dataclass(frozen=True, kw_only=True)
class Stand:
    """The servers that all systems of a run share."""

    home: Path
    supervisor: Supervisor
    broker: EmbeddedServer
    postgres: EmbeddedServer | None  # None: no row needs it

    @contextlib.contextmanager
    def session(self, store: str = "") -> Iterator[Session]:
        """Room for one system; nothing of it is left for the next."""
        with redis.Redis.from_url(self.broker.url) as broker:
            broker.flushall()
        folder = self.home / "session"
        servers = [self.broker]
        if store == POSTGRES and self.postgres:
            servers.append(self.postgres)
        try:
            with Supervisor(folder) as supervisor:
                session = Session(folder, supervisor, servers)
                try:
                    yield session
                except Exception as error:
                    error.add_note(session.last_words())
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def beside(self, program: Program) -> Iterator[None]:
        """Run a program that is not part of what is measured."""
        with Supervisor(self.home / program.name) as supervisor:
            supervisor.start(program)
            yield

    @contextlib.contextmanager
    def database(self, store: str, name: str = "bench") -> Iterator[str]:
        """The address of a new database; it goes with the block."""
        if store == SQLITE:
            folder = self.home / f"database-{name}"
            folder.mkdir()
            try:
                yield f"sqlite:///{folder / 'bench.db'}"
            finally:
                shutil.rmtree(folder)
            return
        assert self.postgres
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
            try:
                yield self.postgres.url.rpartition("/")[0] + f"/{name}"
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextlib.contextmanager
def standing(home: Path, *, with_postgres: bool) -> Iterator[Stand]:
    """A stand for the length of a run."""
    with contextlib.ExitStack() as held:
        supervisor = held.enter_context(Supervisor(home))
        broker = start_valkey(home / "valkey", supervisor)
        postgres = held.enter_context(embedded_postgres()) if with_postgres else None
        yield Stand(home=home, supervisor=supervisor, broker=broker, postgres=postgres)


@contextlib.contextmanager
def held(*children: Child) -> Iterator[None]:
    """Freeze processes and all they started meanwhile, so that work piles up."""
    for child in children:
        signal_group(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for child in children:
            signal_group(child.pid, signal.SIGCONT)


def forget_environment() -> None:
    """Take every setting of Meshline out of ours: a run must not depend on who started it."""
    for name in [name for name in os.environ if name.startswith("MESHLINE_")]:
        del os.environ[name]
