"""A mail server, from a definition's references: where it is, and how we log in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.definition.references import UnresolvedReference, resolve
from connectors.definition.shared_keys import MailLogin, SmtpDefinition
from orchestrator.domain.text.addresses import is_mailable
from orchestrator.domain.text.masking import pair_spellings

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """A definition with its references followed."""

    host: str
    port: int
    security: str  # starttls, tls or none
    sender: str
    user: str | None
    password: str | None

    @property
    def masks(self) -> frozenset[str]:
        """What no error may show."""
        return pair_spellings(self.user or "", self.password) if self.password else frozenset()


def resolve_server(definition: SmtpDefinition, folder: Path | None) -> MailServer:
    """Follow every reference of a definition. Raises UnresolvedReference."""
    host = resolve(definition.host, folder=folder)
    port = resolve(str(definition.port or _PORTS[definition.security]), folder=folder)
    sender = resolve(definition.sender, folder=folder)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise UnresolvedReference(f"{definition.port} leads to something that is not a port")
    if not is_mailable(sender):
        raise UnresolvedReference(f"{definition.sender} leads to something that is not an address")
    login = definition.login
    if login and definition.security == "none" and host not in _LOOPBACK:
        raise UnresolvedReference("a login over a connection without TLS would be readable")
    return MailServer(
        host=host,
        port=int(port),
        security=definition.security,
        sender=sender,
        user=resolve(login.user, folder=folder) if login else None,
        password=_password(login, folder) if login else None,
    )


def _password(login: MailLogin, folder: Path | None) -> str:
    return resolve(login.password, folder=folder)
