"""A real django-helpdesk on loopback, with a database of its own."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import listens
from tests.systems.venvs import python_with

REQUIREMENT = "django-helpdesk>=2.6,<2.7"
USER, PASSWORD = "bot", "bot-password"
_PREPARE = """
from django.contrib.auth import get_user_model
from helpdesk.models import CustomField, Queue
get_user_model().objects.create_superuser("bot", "bot@example.com", "bot-password")
Queue.objects.create(title="Desk", slug="desk", new_ticket_cc="desk@example.com")
CustomField.objects.create(
    name="meshline", label="Meshline", data_type="varchar", max_length=200, required=False
)
"""


@dataclass(frozen=True, kw_only=True)
class Helpdesk:
    """Where it listens, and how it was started."""

    port: int
    python: Path
    environment: Mapping[str, str]

    def tickets(self) -> list[dict[str, Any]]:
        """Every ticket, as its own API lists them."""
        login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/tickets/?page_size=100000",
            headers={"Authorization": f"Basic {login}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["results"]
        return found

    def count(self, key: str) -> int:
        """How many tickets carry a key."""
        return sum(one["custom_meshline"] == key for one in self.tickets())


def start_helpdesk(home: Path, supervisor: Supervisor, *, mail_port: int) -> Helpdesk:
    """A helpdesk with one queue, one user, and the custom field that holds the key."""
    home.mkdir()
    environment = {
        "DJANGO_SETTINGS_MODULE": "django_settings",
        "PYTHONPATH": str(Path(__file__).parent / "django_home"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HELPDESK_HOME": str(home),
        "HELPDESK_MAIL_PORT": str(mail_port),
        "HELPDESK_RATE": "100000/min",
    }
    python = python_with(REQUIREMENT)
    for words in (("migrate", "-v", "0"), ("shell", "-v", "0", "-c", _PREPARE)):
        django = (str(python), "-m", "django", *words)
        done = subprocess.run(
            django, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
    return _serve("helpdesk", python, environment, supervisor)


def start_throttled(helpdesk: Helpdesk, supervisor: Supervisor, *, rate: str) -> Helpdesk:
    """The same helpdesk once more, for those who may call seldom, such as `2/min`."""
    environment = {**helpdesk.environment, "HELPDESK_RATE": rate}
    return _serve("helpdesk-throttled", helpdesk.python, environment, supervisor)


def _serve(
    name: str, python: Path, environment: Mapping[str, str], supervisor: Supervisor
) -> Helpdesk:
    port = free_port()
    supervisor.start(
        Program(
            name=name,
            command=(str(python), "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"),
            environment=environment,
            ready=listens(port),
            ready_within=60,
            stop_within=5,
        )
    )
    return Helpdesk(port=port, python=python, environment=environment)
