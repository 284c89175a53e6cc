"""`meshline people signing-key`: the public keys by which people sign what they decide."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.errors import Refused
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.store.access.signing_keys import SigningKey

app = typer.Typer(
    help="Keys by which people sign decisions: add, list, confirm, revoke.", no_args_is_help=True
)

Fingerprint = Annotated[
    str, typer.Argument(metavar="FINGERPRINT", help="As the list shows it: SHA256:…")
]


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The public key, such as id_ed25519.pub; -: stdin."),
    ],
    as_json: AsJson = False,
) -> None:
    """Add a public key of your own; it counts after 24 hours, or when an admin confirms it."""
    with opened_store() as store:
        from orchestrator.operations.access.signing_keys import add_signing_key

        key = add_signing_key(store, _read(file), actor=actor(store))
    _tell(key, "is added", as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List your own keys; an admin sees those of everybody."""
    with opened_store() as store:
        from orchestrator.operations.access.signing_keys import seen_signing_keys

        me = actor(store)
        with store.read() as tx:
            keys = seen_signing_keys(tx, me)
    if as_json:
        put_json({"signing_keys": keys})
        return
    put_table(
        ("FINGERPRINT", "MAIL", "LABEL", "ADDED", "COUNTS", "CONFIRMED", "REVOKED"),
        [
            (
                one.fingerprint,
                one.mail,
                one.label,
                moment(one.added_at),
                moment(one.counts_from),
                one.confirmed_by,
                moment(one.revoked_at),
            )
            for one in keys
        ],
        below=("CONFIRMED", "LABEL"),
    )
    if not keys:
        note("there are none; `meshline people signing-key add FILE` adds one of yours")


@app.command()
def confirm(fingerprint: Fingerprint, as_json: AsJson = False) -> None:
    """Let somebody else's key count at once. Ask them first whether it is theirs."""
    with opened_store() as store:
        from orchestrator.operations.access.signing_keys import confirm_signing_key

        key = confirm_signing_key(store, fingerprint, actor=actor(store))
    _tell(key, "is confirmed", as_json=as_json)


@app.command()
def revoke(fingerprint: Fingerprint, as_json: AsJson = False) -> None:
    """Let a key of yours count for nothing from now on; an admin revokes any."""
    with opened_store() as store:
        from orchestrator.operations.access.signing_keys import revoke_signing_key

        key = revoke_signing_key(store, fingerprint, actor=actor(store))
    _tell(key, "is revoked", as_json=as_json)


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file} cannot be read: {error}", field="file", fix="give a file") from None


def _tell(key: SigningKey, what: str, *, as_json: bool) -> None:
    if as_json:
        put_json(key)
        return
    put(f"{key.fingerprint} of {key.mail} {what}")
    if key.revoked_at is None:
        put(f"it counts from {moment(key.counts_from)} on")
