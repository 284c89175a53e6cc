"""`meshline logout`: end the session of this machine's login, or all of one's sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put, put_json
from orchestrator.cli.terminal.who import forget_session


def logout(
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Also all other sessions of this person.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """End the session that `meshline login` began."""
    with opened_store() as store:
        from orchestrator.operations.access.log_in import log_out

        token = forget_session(store)
        ended = log_out(store, token, everywhere=everywhere) if token else 0
    if as_json:
        put_json({"ended": ended})
    else:
        put(f"ended {ended} sessions" if ended else "nobody was logged in here")
