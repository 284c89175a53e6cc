"""`meshline up`: everything on this machine, kept running until Ctrl-C."""

from __future__ import annotations

import errno
from contextlib import closing
from datetime import datetime
from pathlib import Path

from connectors.registry import catalog, connector_digests, load_connectors
from orchestrator.domain.access.actor import process
from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.embedded.example_key import example_key
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.embedded.troubles import Troubles, looks_at
from orchestrator.operations.access.people import INVITE_SECONDS, invite_first_admin
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.settings import Settings, settings
from orchestrator.store.database.engine import Store
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
        stay(services)
    return 0


def stay(services: Services) -> None:
    """Print the link for the first admin, and keep everything running until Ctrl-C or a signal."""
    config = services.config
    with closing(open_store(config.store_url)) as store:
        _invite_first_admin(store, config.dashboard_url or services.addresses["flower"])
        troubles = Troubles(looks_at(services.known_settings(), store), _print_with_time)
        troubles.start()
        try:
            logs = config.home / "logs"
            print("\neverything runs; logs are in", logs, "- Ctrl-C stops it", flush=True)
            services.supervisor.keep_running(_print_with_time)
        except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or the signal of a service manager
            print("\nstopping", flush=True)
        finally:
            troubles.stop()


def print_exports(config: Settings) -> None:
    """Print what another terminal sets so that its commands are about this home."""
    print("\nin another terminal, for the command line:\n")
    # Whole paths: that terminal is in some other folder.
    folder = config.connectors.absolute() if config.connectors else ""
    print(f"  export MESHLINE_HOME={config.home.absolute()} MESHLINE_CONNECTORS={folder}")


def _invite_first_admin(store: Store, flower: str) -> None:
    """Print the link that makes the first admin, while there are no people."""
    token = invite_first_admin(store, actor=process("cli:up"))
    if token is not None:
        hours = round(INVITE_SECONDS / 3600)
        print(f"\nbecome the first admin, once, within {hours} hours:\n")
        print(f"  {flower.rstrip('/')}/invite/{token}", flush=True)


def _publish_example(config: Settings, services: Services) -> None:
    store = open_store(config.store_url)
    connectors = catalog(load_connectors(config.connectors))
    workflow = read_workflow(EXAMPLE / "lead-routing.yaml", connectors)
    by = process("cli:up")
    defined = connector_digests(config.connectors)
    as_file = (
        publish_workflow(store, workflow, actor=by, dry_run=True, connectors=defined).state
        == "live"
    )
    if as_file:
        publish_workflow(store, workflow, actor=by, connectors=defined)
    key = example_key(store, config.home / "example.key", workflow.client)
    store.close()
    if not as_file:  # its changes need an approval: a start proposes nothing by itself
        print("\nthe example's file says something else than what is live; it is left alone")
    print(f"\nworkflow {workflow.name} is live for client {workflow.client}; send it a lead:\n")
    print(
        f"  curl {services.addresses['door']}/v1/events"
        f" -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
        ' -d \'{"type": "lead.created", "data": {"email": "ada@example.com", "tier": "pro"}}\''
    )
    print_exports(config)


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
