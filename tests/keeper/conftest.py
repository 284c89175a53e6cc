"""A desk whose people are reached by mail and by web hooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.settings import Settings
from tests.keeper.receivers import Hook, Mails, mail_server, web_hook

SECRET = "s3cret-t0ken"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where alerts arrive, and the settings that lead there."""

    folder: Path
    mails: Mails
    hook: Hook
    environment: dict[str, str]

    def settings(self, **said: object) -> Settings:
        return Settings().model_copy(update=said)

    def contacts(self, text: str) -> None:
        """Write the file of contacts."""
        (self.folder / "contacts.yaml").write_text(text)


CONTACTS = """\
contacts:
  support-ops@acme.example: {to: [env:OWNER_HOOK]}
  on-call@agency.example: {to: [env:BACKSTOP_HOOK, mail]}
"""
MAIL = """\
connector: mail
kind: smtp
host: 127.0.0.1
port: env:TEST_MAIL_PORT
security: none
from: meshline@example.com
timeout: 5s
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk with a mail server and a web hook, and contacts that lead to both."""
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "mail.yaml").write_text(MAIL)
    (tmp_path / "contacts.yaml").write_text(CONTACTS)
    with mail_server() as mails, web_hook() as hook:
        environment = {
            "MESHLINE_CONNECTORS": str(tmp_path / "connectors"),
            "MESHLINE_CONTACTS": str(tmp_path / "contacts.yaml"),
            "MESHLINE_KEEPER_SECONDS": "0.2",
            "MESHLINE_ALERT_DIGEST_SECONDS": "0",  # what a digest does has tests of its own
            "MESHLINE_LINK_KEY": "a-key-of-signed-links",
            "MESHLINE_DASHBOARD_URL": "https://desk.example/",
            "TEST_MAIL_PORT": str(mails.port),
            "OWNER_HOOK": f"json://operator:{SECRET}@127.0.0.1:{hook.port}/owner",
            "BACKSTOP_HOOK": f"json://operator:{SECRET}@127.0.0.1:{hook.port}/backstop",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Desk(folder=tmp_path, mails=mails, hook=hook, environment=environment)
