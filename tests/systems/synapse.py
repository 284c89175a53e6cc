"""A real Matrix homeserver on loopback, with a room."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import answers
from tests.systems.venvs import python_with

REQUIREMENT = "matrix-synapse>=1.160,<2"
BURST = 20  # messages that a user may send at once
_CONFIG = """\
server_name: loopback.test
pid_file: {home}/homeserver.pid
listeners:
  - port: {port}
    bind_addresses: [127.0.0.1]
    type: http
    tls: false
    resources: [{{names: [client]}}]
database: {{name: sqlite3, args: {{database: "{home}/homeserver.db"}}}}
log_config: {home}/log.yaml
media_store_path: {home}/media
signing_key_path: {home}/signing.key
registration_shared_secret: only-for-a-test-on-loopback
macaroon_secret_key: only-for-a-test-on-loopback
report_stats: false
trusted_key_servers: []
rc_message: {{per_second: 2, burst_count: {burst}}}
rc_login:
  address: {{per_second: 100, burst_count: 100}}
  account: {{per_second: 100, burst_count: 100}}
"""
_LOG = """\
version: 1
handlers: {console: {class: logging.StreamHandler}}
root: {level: WARNING, handlers: [console]}
"""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of the homeserver; each has a rate limit of its own."""

    token: str
    room: str


@dataclass(frozen=True, kw_only=True)
class Synapse:
    """A homeserver that runs."""

    port: int
    python: Path
    home: Path

    def register(self, name: str) -> Account:
        """A new user in a new room."""
        register = self.python.with_name("register_new_matrix_user")
        login = ("-u", name, "-p", "password", "--no-admin", "-c", str(self.home / "hs.yaml"))
        address = f"http://127.0.0.1:{self.port}"
        subprocess.run((str(register), *login, address), check=True, capture_output=True)
        identifier = {"type": "m.id.user", "user": name}
        said = {"type": "m.login.password", "identifier": identifier, "password": "password"}
        token = self._ask("POST", "login", said)["access_token"]
        room = self._ask("POST", "createRoom", {}, token)["room_id"]
        return Account(token=token, room=room)

    def messages(self, account: Account) -> list[dict[str, Any]]:
        """What was said in the account's room, the newest first."""
        room = urllib.parse.quote(account.room, safe="")
        path = f"rooms/{room}/messages?dir=b&limit=500"
        chunk = self._ask("GET", path, None, account.token)["chunk"]
        return [one for one in chunk if one["type"] == "m.room.message"]

    def _ask(self, method: str, path: str, body: object, token: str = "") -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/_matrix/client/v3/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def start_synapse(home: Path, supervisor: Supervisor) -> Synapse:
    """A homeserver with a database of its own, and real rate limits."""
    python = python_with(REQUIREMENT)
    home.mkdir()
    port = free_port()
    config = home / "hs.yaml"
    config.write_text(_CONFIG.format(home=home, port=port, burst=BURST))
    (home / "log.yaml").write_text(_LOG)
    homeserver = (str(python), "-m", "synapse.app.homeserver", "-c", str(config))
    subprocess.run((*homeserver, "--generate-keys"), check=True, capture_output=True, timeout=120)
    supervisor.start(
        Program(
            name="synapse",
            command=homeserver,
            ready=answers(f"http://127.0.0.1:{port}/health"),
            ready_within=90,
            stop_within=10,
            folder=home,
        )
    )
    return Synapse(port=port, python=python, home=home)
