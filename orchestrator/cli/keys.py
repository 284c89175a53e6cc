"""`meshline keys`: what programs, and people over HTTP, prove themselves with."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from orchestrator.cli.people.unknown_clients import note_unknown_clients
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.text.durations import seconds
from orchestrator.presenting.moments import moment

app = typer.Typer(
    help="Keys of programs and people: create, list, limit, rotate, revoke.", no_args_is_help=True
)


@app.command()
def create(
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="What the key is for.")],
    client: Annotated[
        list[str] | None,
        typer.Option("--client", metavar="NAME", help="A client it serves; may be repeated."),
    ] = None,
    all_clients: Annotated[
        bool, typer.Option("--all-clients", help="It serves every client, also later ones.")
    ] = False,
    role: Annotated[
        Role,
        typer.Option("--role", help="What it may do; a producer sends events.", show_default=True),
    ] = Role.PRODUCER,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="MAIL",
            help="Yourself: it proves that you act, and may do what it and you may.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="How long it is taken, such as 90d."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it, this one time: the store keeps only its digest.

    An admin makes the keys of programs. The key of a person is made by that person alone, who has
    to be logged in: whoever holds it acts as that person.
    """
    named = list(dict.fromkeys(client or ()))
    if bool(named) == all_clients:
        raise typer.BadParameter("give --client at least once, or --all-clients")
    if not 1 <= len(label) <= 255:
        raise typer.BadParameter("write 1 to 255 characters", param_hint="--label")
    with opened_store(create=True) as store:
        from orchestrator.domain.access.roles import EVERY_CLIENT
        from orchestrator.operations.access.keys import create_key, create_own_key, id_of_key

        clients = [EVERY_CLIENT] if all_clients else named
        made_by = create_key if person is None else partial(create_own_key, mail=person)
        key = made_by(
            store,
            clients=clients,
            label=label,
            actor=actor(store),
            role=role,
            seconds=None if expires is None else _seconds(expires, "--expires"),
        )
        note_unknown_clients(store, named)
    if as_json:
        made = {"id": id_of_key(key), "key": key, "clients": clients, "label": label, "role": role}
        put_json(made)
        return
    put(key)
    use = "MESHLINE_KEY where the producer runs" if person is None else "MESHLINE_ACTOR"
    note(f"this is the only time that it is shown; keep it as {use}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List keys, without their secrets."""
    with opened_store() as store:
        from orchestrator.domain.acts import Act
        from orchestrator.operations.access.allow import needed_scope
        from orchestrator.store.access.keys import list_keys

        me = actor(store)
        with store.read() as tx:
            rows = list_keys(tx, needed_scope(tx, me, Act.MANAGE_KEYS).names)
    if as_json:
        put_json({"keys": rows})
        return
    put_table(
        (
            *("ID", "ROLE", "CLIENTS", "PERSON", "LABEL", "CREATED", "BY", "USED", "EXPIRES"),
            *("REVOKED", "MAY SEND"),
        ),
        [
            (
                row.id,
                row.role,
                ", ".join(row.clients),
                row.person,
                row.label,
                moment(row.created_at),
                row.created_by,
                moment(row.used_at),
                moment(row.expires_at),
                moment(row.revoked_at),
                _told(row.rate_per_second, row.quota_per_day),
            )
            for row in rows
        ],
        below=("LABEL",),
    )


@app.command()
def limit(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="N/s", help="Triggers a second at each door, such as 50/s."),
    ] = None,
    quota: Annotated[
        str | None,
        typer.Option("--quota", metavar="N/day", help="Triggers a day of UTC, over all doors."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Limit how much a key may send: both limits are set, and one that is left out is taken away.

    The door refuses more with 429 and says when to come again. It knows of new limits in seconds.
    """
    with opened_store() as store:
        from orchestrator.domain.access.key_limits import KeyLimits
        from orchestrator.operations.access.limit_key import limit_key

        limits = KeyLimits(
            rate_per_second=None if rate is None else _number(rate, "/s", "--rate"),
            quota_per_day=None if quota is None else _number(quota, "/day", "--quota"),
        )
        limit_key(store, key, limits=limits, actor=actor(store))
    if as_json:
        put_json({"id": key, **asdict(limits)})
    else:
        put(f"{key} may send {_told(limits.rate_per_second, limits.quota_per_day)}")


@app.command()
def rotate(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    overlap: Annotated[
        str,
        typer.Option("--overlap", metavar="TIME", help="How long both are taken, such as 24h."),
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Print a key that replaces another; after the overlap the door refuses the old one.

    The key of a person is replaced by that person alone.
    """
    with opened_store() as store:
        from orchestrator.operations.access.keys import id_of_key, rotate_key

        lasts = _seconds(overlap, "--overlap")
        new = rotate_key(store, key, actor=actor(store), overlap_seconds=lasts)
    if as_json:
        made = {"id": id_of_key(new), "key": new, "replaces": key, "overlap_seconds": lasts}
        put_json(made)
        return
    put(new)
    note(f"this is the only time that it is shown; {key} is taken for {overlap} more")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: from now on the door refuses it. Everybody may revoke their own."""
    with opened_store() as store:
        from orchestrator.operations.access.keys import revoke_key

        revoke_key(store, key, actor=actor(store))
    if as_json:
        put_json({"id": key, "revoked": True})
    else:
        put(f"revoked {key}")


def _seconds(text: str, option: str) -> float:
    """The seconds of a duration, as it is typed. Raises BadParameter."""
    try:
        return seconds(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a duration: write one such as 24h or 90d", param_hint=option
        ) from None


def _number(text: str, unit: str, option: str) -> int:
    """The number of a limit such as 50/s. Raises BadParameter."""
    number = text.strip().removesuffix(unit)
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise typer.BadParameter(f"write a number such as 50{unit}", param_hint=option)
    return int(number)


def _told(rate: int | None, quota: int | None) -> str:
    told = [f"{rate}/s"] if rate is not None else []
    told += [f"{quota}/day"] if quota is not None else []
    return ", ".join(told) or "without a limit"
