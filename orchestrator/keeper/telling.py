"""Alerts that are due: claimed, sent outside of any transaction, settled.

Several tellers of a process work side by side, each on another recipient's: a way out that hangs
keeps only its own recipient waiting, and everyone is told things in their order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.calendars import open_until
from orchestrator.keeper.contacts import Contact, read_contacts
from orchestrator.keeper.messages import compose
from orchestrator.keeper.sending import Carrier, Undeliverable
from orchestrator.settings import Settings
from orchestrator.store.alerts import (
    Alert,
    claim_alert,
    is_alert_due,
    put_off,
    settle_dropped,
    settle_failed,
    settle_sent,
)
from orchestrator.store.due_times import in_ms, time_of
from orchestrator.store.engine import Store
from orchestrator.store.incident_views import show_incident

log = logging.getLogger(__name__)

BY_MAIL = Contact()


@dataclass(kw_only=True)
class InHand:
    """The recipients whom some teller of this process is telling something."""

    recipients: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(kw_only=True)
class Teller:
    """Who sends alerts, with the contacts as they were at its start. Raises InvalidFile there."""

    store: Store
    config: Settings
    in_hand: InHand = field(default_factory=InHand)
    contacts: Mapping[str, Contact] = field(init=False)
    carrier: Carrier = field(init=False)

    def __post_init__(self) -> None:
        self.contacts = read_contacts(self.config.contacts)
        self.carrier = Carrier(self.config)

    def tell(self, *, most: int = 50) -> int:
        """Send what is due, at most so many; how many tries that were."""
        for tries in range(most):
            alert = self._claim()
            if alert is None:
                return tries
            try:
                self._try(alert)
            finally:
                self.in_hand.recipients.discard(alert.recipient)
        return most

    def tell_one(self, alert_id: int) -> str | None:
        """Try this alert now, whoever's hour is quiet; what went wrong, or None."""
        with self.store.write() as tx:
            alert = claim_alert(tx, alert_id)
        return self._carry(alert) if alert else "another keeper is sending it"

    def _claim(self) -> Alert | None:
        with self.in_hand.lock:
            busy = tuple(self.in_hand.recipients)
            with self.store.read() as tx:
                if not is_alert_due(tx, besides=busy):
                    return None
            with self.store.write() as tx:
                alert = claim_alert(tx, besides=busy)
            if alert is not None:
                self.in_hand.recipients.add(alert.recipient)
            return alert

    def _try(self, alert: Alert) -> None:
        if alert.over:
            with self.store.write() as tx:
                settle_dropped(tx, alert, "the incident was over before it was told")
        elif not self._is_quiet(alert):
            self._carry(alert)

    def _is_quiet(self, alert: Alert) -> bool:
        """Whether its recipient wants no word now; then it is due when that is over."""
        quiet = self.contacts.get(alert.recipient, BY_MAIL).quiet
        if quiet is None:
            return False
        with self.store.write() as tx:
            until = open_until(time_of(tx), quiet.calendar)
            if until is not None:
                put_off(tx, alert, in_ms(until))
        return until is not None

    def _carry(self, alert: Alert) -> str | None:
        with self.store.read() as tx:
            incident = show_incident(tx, alert.incident_id) if alert.incident_id else None
        message = compose(alert, incident, self.config)
        contact = self.contacts.get(alert.recipient, BY_MAIL)
        error = None
        try:
            self.carrier.carry(message, alert.recipient, contact, key=f"alert.{alert.id}")
        except Undeliverable as failure:
            error = str(failure)
            log.warning("alert %s to %s: %s", alert.id, alert.recipient, error)
        with self.store.write() as tx:
            settle_failed(tx, alert, error) if error else settle_sent(tx, alert)
        return error
