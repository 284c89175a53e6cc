"""Commands that start Meshline's processes; each becomes the process, or stays with it."""

from __future__ import annotations

import os
import secrets
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.starting import prepare_process

if TYPE_CHECKING:
    from orchestrator.settings import Settings

Host = Annotated[
    str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
]
Port = Annotated[
    int | None,
    typer.Option("--port", metavar="N", min=0, max=65_535, help="Port; 0 takes a free one."),
]
PortFile = Annotated[
    Path | None,
    typer.Option("--port-file", metavar="FILE", help="File that the bound port is written to."),
]


class Pool(StrEnum):
    """How a worker runs its tasks."""

    PREFORK = "prefork"
    SOLO = "solo"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (up, demo, api, worker, relay, keeper, flower):
        app.command()(command)


def up(
    example: Annotated[
        bool,
        typer.Option("--example", help="Also a sandbox, with the example workflow made live."),
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from orchestrator.embedded.up import run_up

    prepare_process()
    raise typer.Exit(run_up(example=example))


def demo(
    leads: Annotated[
        int,
        typer.Option("--leads", metavar="N", min=1, max=10_000, help="Leads before the change."),
    ] = 40,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Decides which tier each lead has.")
    ] = 1,
    desk: Annotated[
        bool | None,
        typer.Option(
            "--desk/--no-desk",
            help="The desk alone, on the last story; or the story alone. Unset: the story, and on a"
            " terminal the desk after it, until Ctrl-C.",
        ),
    ] = None,
) -> None:
    """Play the story of a renamed form field, count, and show it in the desk."""
    prepare_process()
    if desk:
        from orchestrator.sandbox.desk import run_desk

        raise typer.Exit(run_desk())
    from orchestrator.sandbox.demo import run_demo

    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    raise typer.Exit(run_demo(leads=leads, seed=seed, then_desk=is_terminal and desk is None))


def api(host: Host = None, port: Port = None, port_file: PortFile = None) -> None:
    """Run the HTTP door."""
    from orchestrator.api.serve import serve

    serve(_settings(host=host, port=port), port_file=port_file)


def worker(
    count: Annotated[
        int | None,
        typer.Option("--processes", metavar="N", min=1, max=256, help="Processes that do tasks."),
    ] = None,
    pool: Annotated[Pool, typer.Option("--pool", help="How tasks are run.")] = Pool.PREFORK,
) -> None:
    """Run a worker, which validates, routes and dispatches."""
    from connectors.registry import load_connectors

    config = _settings_with_broker()
    load_connectors(config.connectors)  # a wrong definition is told here, and not by every task
    _become(
        *("celery", "--quiet", "--app", "workers.app", "worker", "--task-events"),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
        *("--pool", pool, "--concurrency", str(count or config.worker_processes)),
        # Two workers of one name on one machine: RabbitMQ ends the second, and Flower shows one.
        # With the process id, which stays when this process becomes Celery: heartbeats name it.
        *("--hostname", f"meshline-{os.getpid()}-{secrets.token_hex(3)}@%h"),
    )


def relay() -> None:
    """Run a relay, which puts due events on the broker."""
    _settings_with_broker()
    _become("workers.relay")


def keeper() -> None:
    """Run a keeper, which keeps the clocks and tells people."""
    _settings()
    _become("orchestrator.keeper.loop")


def flower(host: Host = None, port: Port = None, port_file: PortFile = None) -> None:
    """Run Flower with Meshline's pages: what needs somebody now, incidents, events."""
    from orchestrator.dashboard.serve import serve

    serve(_settings(flower_host=host, flower_port=port), port_file=port_file)


def _settings(**said: object) -> Settings:
    prepare_process()
    from orchestrator.settings import settings

    return settings().model_copy(
        update={name: value for name, value in said.items() if value is not None}
    )


def _settings_with_broker() -> Settings:
    """The settings. Raises StartupFailed here where Celery would show a traceback."""
    config = _settings()
    _ = config.broker
    return config


def _become(module: str, *arguments: str) -> None:
    """Replace this process by one of Python's modules; a supervisor's signals then reach it."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our words
