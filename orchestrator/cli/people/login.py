"""`meshline login`: prove who acts at this machine's login, until the session ends."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put, put_json
from orchestrator.cli.terminal.who import forget_session, keep_session, machine_login


def login(
    mail: Annotated[str, typer.Argument(metavar="MAIL", help="Your mail address.")],
    as_json: AsJson = False,
) -> None:
    """Log in, so that commands of this login prove who acts, for at most 12 hours.

    The password is asked for, or read from a line of stdin. An hour without a command ends the
    session too. It is kept in a file below ~/.config/meshline that only this login reads.
    """
    with opened_store() as store:
        from orchestrator.cli.people.asking import ask_password
        from orchestrator.operations.access.log_in import log_in
        from orchestrator.store.views.values import iso_time

        done = log_in(
            store,
            mail,
            ask_password("password"),
            way="cli",
            address=machine_login(),
            instead_of=forget_session(store),
        )
        keep_session(store, done.token)
        until = iso_time(done.ends_at)
    if as_json:
        put_json({"person": done.mail, "until": until})
    else:
        put(f"logged in as {done.mail} until {until}; `meshline logout` ends it")
