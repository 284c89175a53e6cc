"""Everything that Meshline runs on one machine, started in the order in which it is needed."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from pydantic import SecretStr

from orchestrator.domain.delivery.tokens import TokensUnusable
from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.text.endpoints import local_ports
from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.ports import claim_ports, free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import answers, says
from orchestrator.embedded.valkey import start_valkey
from orchestrator.operations.tokens.keys import make_home_key
from orchestrator.settings import Settings
from orchestrator.starting import write_private
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.database.migrate import open_store

Say = Callable[[str, str], None]  # what was started, and where

_SLOW_START = 60.0  # seconds; a cold machine imports slowly


@dataclass(kw_only=True)
class Services:
    """What runs, where to find it, and the settings that its processes share."""

    supervisor: Supervisor
    config: Settings
    environment: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    login: str = ""  # in words: how one comes into Flower's pages
    _ports: dict[str, int] = field(default_factory=dict)  # by setting

    def start_all(self, say: Say, *, sandbox: bool) -> None:
        """Start broker, sandbox, door, keeper, relay, worker and Flower.

        Raises StartupFailed; for a port that is in use before anything is started.
        """
        self._claim_ports()
        self._prepare()
        self._start_broker(say)
        if sandbox:
            self._start_sandbox(say)
        self._start_door(say)
        # First of all, so that what ran out while nothing ran is recorded before it goes on.
        self._start("keeper", ("keeper",), ready=says("keeping"))
        self._start_chain()
        say("keeper, relay, worker", f"{self.config.worker_processes} processes")
        self._start_flower(say)

    def start_chain(self, say: Say, *, sandbox: bool) -> None:
        """Start broker, sandbox, relay and worker: what drives events that are there already.

        Raises StartupFailed.
        """
        self._prepare()
        self._start_broker(say)
        if sandbox:
            self._start_sandbox(say)
        self._start_chain()
        say("relay, worker", f"{self.config.worker_processes} processes")

    def _start_chain(self) -> None:
        self._start("relay", ("relay",), ready=says("relaying"))
        self._start("worker", ("worker",), ready=says(" ready."))

    def _prepare(self) -> None:
        """What all processes share, before the first of them starts."""
        self.environment["MESHLINE_HOME"] = str(self.config.home.absolute())
        if not self.config.link_key:
            self.environment["MESHLINE_LINK_KEY"] = secrets.token_urlsafe(24)
        if self.config.connectors:
            self.environment["MESHLINE_CONNECTORS"] = str(self.config.connectors.absolute())
        self._make_token_key()

    def known_settings(self) -> Settings:
        """The settings as the processes have them: with the broker that was started."""
        url = self.environment.get("MESHLINE_BROKER_URL")
        return self.config.model_copy(update={"broker_url": SecretStr(url)} if url else {})

    def _claim_ports(self) -> None:
        """Find out every port that cannot be had, in one answer."""
        wanted = {
            "MESHLINE_PORT": (self.config.host, self.config.port),
            "MESHLINE_FLOWER_PORT": (self.config.flower_host, self.config.flower_port),
        }
        addresses = {
            "MESHLINE_BROKER_URL": self.config.broker_url,
            "MESHLINE_DATABASE_URL": self.config.database_url,
        }
        others = {
            setting: local_ports(address.get_secret_value())
            for setting, address in addresses.items()
            if address
        }
        self._ports = claim_ports(wanted, others)

    def _make_token_key(self) -> None:
        """Make the key that seals tokens, where no setting names one and the store is ours."""
        if self.config.token_key_text or self.config.home_of_store is None:
            return
        try:
            make_home_key(self.config.home_of_store)
        except TokensUnusable as error:
            raise StartupFailed(str(error)) from None

    def _start_broker(self, say: Say) -> None:
        if self.config.broker_url:
            say("broker", "from MESHLINE_BROKER_URL")
            return
        home = self.config.home
        server = start_valkey(home / "valkey", self.supervisor)
        self.environment["MESHLINE_BROKER_URL"] = server.url
        write_private(self.config.broker_address_file, server.url)
        say("broker", "embedded Valkey")

    def _start_sandbox(self, say: Say) -> None:
        port, token = free_port(), secrets.token_urlsafe(24)
        url = f"http://127.0.0.1:{port}"
        self.environment |= {"MESHLINE_SANDBOX_URL": url, "MESHLINE_SANDBOX_TOKEN": token}
        self._run(
            "sandbox",
            (sys.executable, "-m", "orchestrator.sandbox.server", "--port", str(port)),
            ready=answers(f"{url}/healthz"),
        )
        self.addresses["sandbox"] = url
        say("sandbox", f"{url} (plays a CRM and a helpdesk)")

    def _start_door(self, say: Say) -> None:
        port = self._ports["MESHLINE_PORT"]
        url = f"http://{self.config.host}:{port}"
        self._start("api", ("api", "--port", str(port)), ready=answers(f"{url}/healthz"))
        self.addresses["door"] = url
        say("door", url)

    def _start_flower(self, say: Say) -> None:
        host = self.config.flower_host
        port = self._ports["MESHLINE_FLOWER_PORT"]
        password = self.config.flower_password
        shown = password.get_secret_value() if password else secrets.token_urlsafe(12)
        self.environment |= {
            "MESHLINE_FLOWER_PASSWORD": shown,
            "MESHLINE_FLOWER_PORT": str(port),
        }
        url = f"http://{host}:{port}"
        self._start("flower", ("flower",), ready=says("flower: http"))
        self.addresses["flower"] = url
        self.login = f"login {self.config.flower_user} / " + ("as set" if password else shown)
        if self._has_people():
            self.login = "people log in with their mail addresses"
        say("flower", f"{url} ({self.login})")

    def _has_people(self) -> bool:
        with closing(open_store(self.config.store_url)) as store, store.read() as tx:
            return anybody_is_there(tx)

    def _start(
        self, name: str, arguments: tuple[str, ...], *, ready: Callable[[Child], bool]
    ) -> None:
        self._run(name, (sys.executable, "-m", "orchestrator.cli.main", *arguments), ready=ready)

    def _run(self, name: str, command: tuple[str, ...], *, ready: Callable[[Child], bool]) -> None:
        program = Program(
            name=name,
            command=command,
            environment=dict(self.environment),
            ready=ready,
            ready_within=_SLOW_START,
            stop_within=self.config.stop_seconds + 5,
        )
        self.children[name] = self.supervisor.start(program)
