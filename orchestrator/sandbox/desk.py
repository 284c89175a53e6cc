"""`meshline demo --desk`: the desk on the story that the demo played last, until Ctrl-C."""

from __future__ import annotations

import shlex
import sys
from contextlib import closing
from pathlib import Path

from rich.console import Console

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.embedded.up import example_folder, print_exports, stay
from orchestrator.sandbox.people import APPROVER, AUTHOR, give_password
from orchestrator.settings import Settings, settings
from orchestrator.store.database.migrate import open_store
from orchestrator.store.desk.plans import list_plans

_NOT_OF_THE_DEMO = {
    "MESHLINE_DATABASE_URL": "",  # else its processes would write into another store
    "MESHLINE_CONTACTS": "",  # nobody is alerted of a story
    "MESHLINE_DASHBOARD_URL": "",
}


def run_desk() -> int:
    """Start everything on the last story's home, print where the desk is, and stay until Ctrl-C.

    Raises StartupFailed, where no story has been played too.
    """
    config = demo_settings()
    if not (config.home / "meshline.db").exists():
        raise StartupFailed(f"no story is kept in {config.home}: play one with `meshline demo`")
    with Supervisor(config.home) as supervisor:
        services = start_services(Console(highlight=False), supervisor, config)
        with closing(open_store(config.store_url)) as store:
            password = give_password(store)
        open_desk(services, password)
    return 0


def demo_settings() -> Settings:
    """The demo's settings: a store and a broker of its own, whatever else runs here."""
    return settings().model_copy(
        update={
            "home": (settings().home / "demo").absolute(),
            "database_url": None,
            "broker_url": None,
            "contacts": None,
            "dashboard_url": None,
            "connectors": example_folder() / "connectors",
            "port": 0,
            "flower_port": 0,
            "flower_password": None,
        }
    )


def start_services(console: Console, supervisor: Supervisor, config: Settings) -> Services:
    """Start everything, and say where. Raises StartupFailed."""
    console.rule("Meshline starts on this machine")
    services = Services(supervisor=supervisor, config=config, environment=dict(_NOT_OF_THE_DEMO))
    services.start_all(lambda what, where: console.print(f"  {what:18} {where}"), sandbox=True)
    return services


def open_desk(services: Services, password: str) -> None:
    """Print where the desk shows the story and how to come in, and stay until Ctrl-C."""
    desk = services.addresses["flower"]
    print("\nlook at the story in a browser:\n")
    print(f"  {desk}/incidents/1  the incident of the renamed leads, and what healed it")
    if plan := _last_plan(services.config):
        print(f"  {desk}/plans/{plan}  the plan that replayed them")
    print(f"  {desk}/changes      what was proposed, and who approved it")
    print(f"  {desk}/audit        who did what")
    print(f"\n  log in as {AUTHOR} or {APPROVER}")
    print(f"  password {password}")
    print_exports(services.config)
    stay(services)


def _last_plan(config: Settings) -> str | None:
    """The token of the story's plan; None where the story ended before it."""
    with closing(open_store(config.store_url)) as store, store.read() as tx:
        return next((one.token for one in list_plans(tx, limit=1)), None)


def command_for_desk() -> str:
    """The command that opens the desk, as it was called here."""
    called = Path(sys.argv[0])
    return f"{shlex.quote(sys.argv[0]) if called.name == 'meshline' else 'meshline'} demo --desk"
