"""Acts on alerts: send again what failed for good, and see whether a message arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tornado.web import authenticated

from orchestrator.dashboard.actions.previewed import Confirmation, PreviewedAct
from orchestrator.dashboard.given import row_number
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.addresses import checked_address
from orchestrator.operations.access.allow import allow
from orchestrator.operations.incidents.retry_alerts import (
    MOST_AT_ONCE,
    add_test_alert,
    look_at_failed_alerts,
    retry_alerts,
    retry_failed_alerts,
)
from orchestrator.store.clocks.alert_views import AlertRow, SoughtAlerts, list_alerts
from orchestrator.store.clocks.alerts import AlertState
from orchestrator.store.database.engine import Store

_MOST_NAMED = 10


class _AlertAct(PreviewedAct):
    """An act on alerts, which leads back to their list."""

    tab = "alerts"

    @authenticated
    async def post(self) -> None:
        """Answer POST /alerts/ACT."""
        back = self.reverse_url("alerts")
        try:
            preview, use_case = self.steps()
        except Refused as error:
            self.refuse(error, back=back)
            return
        if self.is_sure:
            await self.do(use_case, back=back)
        else:
            await self.confirm(preview, back=back)

    def steps(self) -> tuple[Callable[[Store], Confirmation], Callable[[Store], object]]:
        """What it would do, and doing it, with what the form has. Raises Refused."""
        raise NotImplementedError


class RetryAlertsPage(_AlertAct):
    """Send one again, or all that failed for good."""

    act = Act.RETRY_ALERT

    def steps(self) -> tuple[Callable[[Store], Confirmation], Callable[[Store], object]]:
        """Of the alert that the form names, or of all."""
        actor, number = self.actor, row_number("alert", self.given("alert"))
        if number is not None:
            wanted = int(number)
            return (
                lambda store: _shown_one(store, actor, wanted),
                lambda store: retry_alerts(store, [wanted], actor=actor),
            )
        seen, looked_at = self.given("seen"), self.number("looked_at") or 0

        def retry(store: Store) -> object:
            if seen is None:
                raise Refused(
                    "it was not shown first", field="seen", fix="use the form of the page"
                )
            return retry_failed_alerts(store, actor=actor, seen=seen, since=looked_at)

        return lambda store: _shown_all(store, actor), retry


def _shown_one(store: Store, actor: Actor, number: int) -> Confirmation:
    with store.read() as tx:
        allow(tx, actor, Act.RETRY_ALERT, ())
        wanted = SoughtAlerts(state=AlertState.FAILED, before=number + 1)
        named = [one for one in list_alerts(tx, wanted, limit=1) if one.id == number]
    return _confirmation(named, 1, {"alert": str(number)})


def _shown_all(store: Store, actor: Actor) -> Confirmation:
    with store.read() as tx:
        allow(tx, actor, Act.RETRY_ALERT, ())
        found = look_at_failed_alerts(tx)
        named = list_alerts(tx, SoughtAlerts(state=AlertState.FAILED), limit=_MOST_NAMED)
    fields = {"seen": found.digest, "looked_at": str(found.looked_at)}
    return _confirmation(named, found.total, fields)


def _confirmation(named: Sequence[AlertRow], total: int, fields: dict[str, str]) -> Confirmation:
    """Raises Refused where nothing failed for good."""
    if not named:
        raise Refused("it did not fail for good", fix="look at the list again")
    told = [
        f"Alert {one.id} to {one.recipient}: {one.error or 'it was not taken'}" for one in named
    ]
    if total > len(named):
        told.append(f"and {total - len(named):,} more")
    sent = min(total, MOST_AT_ONCE)
    if total > sent:
        told.append(
            f"These are too many for once: the oldest {sent:,} are sent now, the rest next time."
        )
    return Confirmation(
        title=f"Send {_alerts(sent)} again",
        says=[
            "A keeper sends them now, each by the first way that takes it.",
            "What is over meanwhile is dropped, and what was sent is not sent again.",
            *told,
        ],
        button="Send again",
        fields=fields,
        takes_why=False,
    )


class TestAlertPage(_AlertAct):
    """Send somebody a test."""

    act = Act.TEST_ALERT

    def steps(self) -> tuple[Callable[[Store], Confirmation], Callable[[Store], object]]:
        """To whom the form names. Raises Refused for what is not an address."""
        actor, recipient = self.actor, (self.given("recipient") or "").strip()
        if "@" in recipient or not recipient:  # else it is a name in the file of contacts
            recipient = checked_address(recipient, field="recipient")

        def preview(store: Store) -> Confirmation:
            with store.read() as tx:
                allow(tx, actor, Act.TEST_ALERT, ())
            return Confirmation(
                title=f"Send a test to {recipient}",
                says=[
                    f"A keeper sends a test to {recipient} now, by the first way that takes it.",
                    "Nobody else is alerted.",
                    "The list of alerts then says by which way it went, or what did not take it.",
                ],
                button=f"Send the test to {recipient}",
                fields={"recipient": recipient},
                takes_why=False,
            )

        return preview, lambda store: add_test_alert(store, recipient, actor=actor)


def _alerts(count: int) -> str:
    return "1 alert" if count == 1 else f"{count:,} alerts"
