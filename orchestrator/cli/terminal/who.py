"""Who acts at the command line: `--as`, MESHLINE_ACTOR, a session, or only the machine's login."""

from __future__ import annotations

import hashlib
import os
import pwd
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.domain.access.actor import Actor, Proof, login, name_of_person

if TYPE_CHECKING:
    from orchestrator.operations.access.log_in import LoggedIn
    from orchestrator.store.database.engine import Store

NAMED_BY = "MESHLINE_ACTOR"
"""The variable that names who acts: a mail address, or a key of a person."""

_KEY = "mk_"
_said: ContextVar[str | None] = ContextVar("said", default=None)


def say_who(mail: str | None) -> None:
    """Keep what `--as` names, for the command that runs now. Raises BadParameter for nobody."""
    if mail is not None and not mail.strip():  # else the command would act for somebody else
        raise typer.BadParameter("name somebody, or leave it out", param_hint="--as")
    _said.set(mail)


def in_front(words: list[str]) -> list[str]:
    """The words of a command with `--as MAIL` before them, wherever it was given."""
    for at, word in enumerate(words):
        if word == "--":
            break
        if word == "--as":
            return [*words[at : at + 2], *words[:at], *words[at + 2 :]]
        if word.startswith("--as="):
            return ["--as", word.removeprefix("--as="), *words[:at], *words[at + 1 :]]
    return words


def machine_login() -> str:
    """The audit's word for the login that runs this process, such as `cli:root`."""
    number = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(number).pw_name}"
    except KeyError:  # a container may run under a number that has no name
        return f"cli:{number}"


def actor(store: Store) -> Actor:
    """Who acts: as named, else who is logged in here, else only the login of this process.

    Raises NotFound for a name that no person has, KeyRefused, StoreUnavailable.
    """
    named = _said.get() or os.environ.get(NAMED_BY) or None
    if named and named.startswith(_KEY):
        from orchestrator.operations.access.keys import check_key, note_key_uses

        caller = check_key(store, named)
        note_key_uses(store, [caller.key_id])
        return caller.as_actor()
    here = logged_in(store)
    if here is not None and named in (None, here.mail):
        return here.actor
    if named is None:
        return login(machine_login())
    from orchestrator.store.access.people import find_person

    with store.read() as tx:
        person = find_person(tx, named)
    return Actor(
        name=name_of_person(person.mail, machine_login()), proof=Proof.NONE, person=person.id
    )


def seen_clients(store: Store) -> frozenset[str] | None:
    """The clients whose events and incidents who acts may see; None: every client.

    Raises as `actor`, and Forbidden where nobody is named, or who is may see nothing.
    """
    from orchestrator.operations.access.allow import needed_scope

    me = actor(store)
    with store.read() as tx:
        return needed_scope(tx, me).names


def logged_in(store: Store) -> LoggedIn | None:
    """Whoever logged in to this store at this machine's login, while the session lasts."""
    token = _read_token(store)
    if token is None:
        return None
    from orchestrator.domain.errors import LoginRefused
    from orchestrator.operations.access.log_in import resume_session

    try:
        return resume_session(store, token)
    except LoginRefused:
        return None


def keep_session(store: Store, token: str) -> None:
    """Write what proves the session into a file that only this login reads."""
    file = _session_file(store)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(token)
    part.replace(file)


def forget_session(store: Store) -> str | None:
    """Remove the file; what it held, if there was one."""
    token = _read_token(store)
    _session_file(store).unlink(missing_ok=True)
    return token


def _read_token(store: Store) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return _session_file(store).read_text("ascii").strip() or None
    return None


def _session_file(store: Store) -> Path:
    """One file for each store that this login works with."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    address = store.url.render_as_string(hide_password=True)
    if store.is_sqlite and store.url.database:
        address = str(Path(store.url.database).absolute())
    name = hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path(folder) / "meshline" / f"session-{name}"
