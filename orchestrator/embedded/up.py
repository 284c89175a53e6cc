"""`meshline up`: everything on this machine, kept running until Ctrl-C."""

from __future__ import annotations

import errno
from contextlib import closing
from datetime import datetime
from pathlib import Path

from connectors.registry import catalog, load_connectors
from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.embedded.troubles import Troubles, looks_at
from orchestrator.operations.manage_keys import create_key
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.settings import Settings, settings
from orchestrator.store.database.migrate import open_store

EXAMPLE = Path(__file__).parents[2] / "workflows"
"""The example workflow and the connector definitions of its sandbox; in a checkout only."""


def example_folder() -> Path:
    """Where the example is. Raises StartupFailed outside a checkout."""
    if not EXAMPLE.is_dir():
        raise StartupFailed("the example is not installed: run this in a checkout of the project")
    return EXAMPLE


def run_up(*, example: bool) -> int:
    """Start everything, print the addresses, and stay. With `example` also the sandbox's workflow.

    Raises StartupFailed.
    """
    config = settings()
    if example and config.connectors is None:
        config = config.model_copy(update={"connectors": example_folder() / "connectors"})
    with Supervisor(config.home) as supervisor:
        services = Services(supervisor=supervisor, config=config)
        services.start_all(_say, sandbox=example)
        if example:
            _publish_example(config, services)
        print(
            "\neverything runs; logs are in", config.home / "logs", "- Ctrl-C stops it", flush=True
        )
        with closing(open_store(config.store_url)) as store:
            troubles = Troubles(looks_at(services.known_settings(), store), _print_with_time)
            troubles.start()
            try:
                supervisor.keep_running(_print_with_time)
            except KeyboardInterrupt:
                print("\nstopping", flush=True)
            finally:
                troubles.stop()
    return 0


def _publish_example(config: Settings, services: Services) -> None:
    store = open_store(config.store_url)
    connectors = catalog(load_connectors(config.connectors))
    workflow = read_workflow(EXAMPLE / "lead-routing.yaml", connectors)
    publish_workflow(store, workflow, actor="cli:up")
    key = create_key(store, clients=[workflow.client], label="made by up", actor="cli:up")
    store.close()
    print(f"\nworkflow {workflow.name} is live for client {workflow.client}; send it a lead:\n")
    print(
        f"  curl {services.addresses['door']}/v1/events"
        f" -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
        ' -d \'{"type": "lead.created", "data": {"email": "ada@example.com", "tier": "pro"}}\''
    )
    print("\nin another terminal, for the command line:\n")
    # Whole paths: that terminal stands in some other folder.
    folder = config.connectors.absolute() if config.connectors else ""
    print(f"  export MESHLINE_HOME={config.home.absolute()} MESHLINE_CONNECTORS={folder}")


def _print_with_time(text: str) -> None:
    """Say it with the time of day. A full disk below our own output ends nobody."""
    try:
        print(f"{datetime.now().astimezone():%H:%M:%S} {text}", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


def _say(what: str, where: str) -> None:
    print(f"{what + ':':18} {where}", flush=True)
