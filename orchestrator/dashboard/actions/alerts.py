"""Acts on alerts: send again what failed for good, and see whether a message arrives."""

from __future__ import annotations

from collections.abc import Callable

from tornado.web import authenticated

from orchestrator.dashboard.actions.previewed import Confirmation, PreviewedAct
from orchestrator.dashboard.given import row_number
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.addresses import checked_address
from orchestrator.operations.access.allow import allow
from orchestrator.operations.incidents.retry_alerts import (
    add_test_alert,
    retry_alerts,
    retry_failed_alerts,
)
from orchestrator.store.clocks.alert_views import SoughtAlerts, list_alerts
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

        def preview(store: Store) -> Confirmation:
            with store.read() as tx:
                allow(tx, actor, Act.RETRY_ALERT, ())
                failed = list_alerts(tx, SoughtAlerts(state=AlertState.FAILED), limit=10_000)
            chosen = [one for one in failed if number in (None, str(one.id))]
            if not chosen:
                raise Refused("it did not fail for good", fix="look at the list again")
            named = [
                f"Alert {one.id} to {one.recipient}: {one.error or 'it was not taken'}"
                for one in chosen[:_MOST_NAMED]
            ]
            if more := len(chosen) - _MOST_NAMED:
                named += [f"and {more:,} more"] if more > 0 else []
            return Confirmation(
                title=f"Send {_alerts(len(chosen))} again",
                says=[
                    "A keeper sends them now, each by the first way that takes it.",
                    "What is over meanwhile is dropped, and what was sent is not sent again.",
                    *named,
                ],
                button="Send again",
                fields={} if number is None else {"alert": number},
                takes_why=False,
            )

        if number is None:
            return preview, lambda store: retry_failed_alerts(store, actor=actor)
        return preview, lambda store: retry_alerts(store, [int(number)], actor=actor)


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
