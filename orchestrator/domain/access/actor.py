"""The actor of an operation: who acts, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PERSON = "person:"
"""How the audit's word for a person begins; their mail address and a slash follow."""


class Proof(StrEnum):
    """How it is known who acts."""

    NONE = "none"  # named on a command line, or the login of a machine
    SESSION = "session"  # logged in, not long ago
    KEY = "key"  # holds a key
    PROCESS = "process"  # one of our own processes, which acts for nobody


@dataclass(frozen=True, kw_only=True)
class Actor:
    """An actor, without its rights: these are read from the store at the moment of the act."""

    name: str  # the audit's word for it
    proof: Proof = Proof.NONE
    person: int | None = None  # its row
    key: str | None = None  # the id of the key that it holds
    session: str | None = None  # the id of the session that it comes with


def process(name: str) -> Actor:
    """One of our own processes, such as `keeper`: it may do all that it was written to do."""
    return Actor(name=name, proof=Proof.PROCESS)


def login(name: str) -> Actor:
    """Whoever runs a command, as the machine names them, such as `cli:root`."""
    return Actor(name=name)


def name_of_person(mail: str, way: str) -> str:
    """The audit's word for a person who acts in a way: a session, a key or a machine's login.

    >>> name_of_person("ops@acme.example", "cli:root")
    'person:ops@acme.example/cli:root'
    """
    return f"{PERSON}{mail}/{way}"


def who(name: str) -> str:
    """The part of an audit's word that names who acted, without the way.

    >>> who("person:ops@acme.example/session"), who("cli:root")
    ('person:ops@acme.example', 'cli:root')
    >>> who("person:a/b@acme.example/session")
    'person:a/b@acme.example'
    """
    if not name.startswith(PERSON):
        return name
    mailbox, at, rest = name.partition("@")  # a mailbox may have a slash, a domain has none
    return f"{mailbox}{at}{rest.partition('/')[0]}"


def mail_of(name: str) -> str | None:
    """The mail address in an audit's word for a person; None for anybody else.

    >>> mail_of("person:ops@acme.example/page"), mail_of("cli:root")
    ('ops@acme.example', None)
    """
    return who(name).removeprefix(PERSON) if name.startswith(PERSON) else None
