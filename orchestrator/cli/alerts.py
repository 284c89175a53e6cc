"""`meshline alerts`: which alerts went to whom, which could not be sent, and what is noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.errors import Refused
from orchestrator.presenting.moments import age, left

if TYPE_CHECKING:
    from orchestrator.keeper.sending import Tried
    from orchestrator.store.clocks.alert_views import AlertRow, NoisyIncident

app = typer.Typer(help="Messages to people: list, test, retry.", no_args_is_help=True)

_LARGEST = 2**63 - 1


@app.command("list")
def list_(
    failing: Annotated[
        bool, typer.Option("--failing", help="Only those whose last try failed.")
    ] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="The incidents whose alerts nobody acts on.")
    ] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List alerts, the newest first, with their tries and the last error.

    Noise is what alerts went out for in 30 days that nobody ever acknowledged, or that opened more
    often than it was acknowledged; make it a rule, a fix at the source, or a longer clock.
    """
    with opened_store() as store:
        from orchestrator.store.clocks.alert_views import (
            SoughtAlerts,
            count_alerts,
            list_alerts,
            list_noise,
        )
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            counts, noisy = count_alerts(tx, clients), list_noise(tx, clients)
            rows = list_alerts(tx, SoughtAlerts(failing=failing, clients=clients), limit=limit)
    if as_json:
        put_json({"counts": counts, "alerts": rows, "noise": noisy})
    elif noise:
        _put_noise(noisy)
    else:
        _put_alerts(rows, now, nothing="no alert fails" if failing else "no alert was written")
        if counts["failed"]:
            note(f"{counts['failed']} failed for good; `meshline alerts retry` sends them again")
        if noisy:
            note(f"{len(noisy)} incidents are noise; `meshline alerts list --noise` names them")


@app.command("test")
def send_test(
    recipient: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="A mail address, or whom the contacts name."),
    ],
    as_json: AsJson = False,
) -> None:
    """Send a test by every way of one contact now, quiet hours or not, and say who took it.

    An alert goes by the first way that takes it. Exits with 1 if a way does not.
    """
    with opened_store() as store:
        from orchestrator.domain.text.addresses import checked_address
        from orchestrator.keeper.telling import Teller
        from orchestrator.operations.incidents.retry_alerts import add_test_alert
        from orchestrator.settings import settings

        teller = Teller(store=store, config=settings())
        if recipient not in teller.contacts:
            recipient = checked_address(recipient, field="address")
        number = add_test_alert(store, recipient, actor=actor(store))
        tried = teller.test_ways(number)
    _tell_test(number, recipient, tried, as_json=as_json)


@app.command()
def retry(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID", min=1, max=_LARGEST, help="Their ids in the list."),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="All whose last try failed, at most 10,000 at once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send alerts again that failed for good: due now, with all their tries before them.

    A keeper sends them. What is over meanwhile it drops.
    """
    if bool(numbers) == failed:
        raise typer.BadParameter("say which alerts: give their ids, or --failed")
    with opened_store() as store:
        from orchestrator.operations.incidents.retry_alerts import (
            look_at_failed_alerts,
            retry_alerts,
            retry_failed_alerts,
        )

        left = 0
        if numbers:
            done = retry_alerts(store, numbers, actor=actor(store))
        else:
            done = retry_failed_alerts(store, actor=actor(store))
            with store.read() as tx:
                left = look_at_failed_alerts(tx).total
    if left:
        note(f"{left:,} more failed for good; the same command sends the next")
    if as_json:
        put_json({"retried": done})
    elif done:
        put(f"retried {len(done)}; a keeper sends them, or drops what is over")
    else:
        put("no alert failed")


def _tell_test(number: int, recipient: str, tried: Sequence[Tried], *, as_json: bool) -> None:
    if not tried:
        fix = "see `meshline alerts list` in a moment"
        raise Refused(f"a keeper is sending the test to {recipient} already", fix=fix)
    failed = [one for one in tried if one.error is not None]
    if as_json:
        ways = [{"way": one.way, "taken": one.error is None, "error": one.error} for one in tried]
        sent = len(failed) < len(tried)
        error = "; ".join(f"{one.way}: {one.error}" for one in failed) or None
        document = {"alert": number, "recipient": recipient, "sent": sent, "error": error}
        put_json(document | {"ways": ways})
    else:
        for one in tried:
            put(f"{one.way}: {'taken' if one.error is None else one.error}")
    if not failed:
        return
    if as_json:
        raise typer.Exit(1)
    if len(failed) == len(tried):
        fix = "the keeper tries again; `meshline alerts list` shows it"
        raise Refused(f"{recipient} was not reached", fix=fix)
    raise Refused(
        f"{recipient} was reached, but {len(failed)} of {len(tried)} ways failed",
        fix="correct these ways in the file of contacts, or take them out",
    )


def _put_alerts(rows: Sequence[AlertRow], now: int, *, nothing: str) -> None:
    if not rows:
        put(nothing)
        return
    put_table(
        ("ALERT", "WHAT", "TO", "STATE", "AGE", "NEXT TRY"),
        [
            (
                one.id,
                _what(one),
                one.recipient,
                f"{one.state}\n{one.error}" if one.error else one.state,
                age(one.created_at, now),
                left(one.due_at, now),
            )
            for one in rows
        ],
        below=("WHAT",),
    )


def _what(one: AlertRow) -> str:
    where = f"{one.client}/{one.workflow}"
    if one.change is not None:
        return f"change {one.change} {one.kind.replace('_', ' ')}\n{where}: {one.news or ''}"
    if one.incident is None:
        return one.kind
    if one.news:
        return f"incident {one.incident} {one.news}\n{where}: {one.title}"
    step = f", step {one.step}" if one.step else ""
    return f"incident {one.incident} {one.kind}{step}\n{where}: {one.title}"


def _put_noise(noisy: Sequence[NoisyIncident]) -> None:
    if not noisy:
        put("no alert is noise")
        return
    put_table(
        ("INCIDENT", "WHAT", "OWNER", "ALERTS", "OPENED", "ACKNOWLEDGED"),
        [
            (
                one.incident,
                f"{one.client}/{one.workflow}\n{one.title}",
                one.owner,
                one.alerts,
                one.opened,
                one.acknowledged,
            )
            for one in noisy
        ],
        below=("WHAT",),
    )
