"""Alerts that are due: claimed, sent outside of any transaction, settled.

Several tellers of a process work side by side, each on another recipient's: a way out that hangs
keeps only its own recipient waiting, and everyone gets alerts in their order.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.delivery.retries import backoff
from orchestrator.domain.drift.naming import bare_finding
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.incidents.escalation import ALERT_RETRIES
from orchestrator.domain.incidents.incident import IncidentKind
from orchestrator.domain.workflows.hours.calendar import open_until
from orchestrator.keeper.change_messages import compose_change
from orchestrator.keeper.contacts import Contact, read_contacts
from orchestrator.keeper.messages import MOST_DIAGNOSED, Message, Reader, compose, compose_digest
from orchestrator.keeper.sending import Carrier, Tried, Undeliverable, taken_by, told_ways
from orchestrator.operations.changes.show import find_change, words_of
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.presenting.personal.gate import NO_CLIENT, shown
from orchestrator.settings import Settings
from orchestrator.store.clocks.alerts import (
    Alert,
    claim_alert,
    claim_alerts,
    is_alert_due,
    mark_dropped,
    mark_failed,
    mark_sent,
    put_off,
)
from orchestrator.store.database.clock import in_ms, time_of
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from orchestrator.store.views.values import now_of

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
        """Send what is due, at most so many messages; how many tries that were."""
        for tries in range(most):
            alerts = self._claim()
            if not alerts:
                return tries
            try:
                self._try(alerts)
            finally:
                self.in_hand.recipients.discard(alerts[0].recipient)
        return most

    def test_ways(self, alert_id: int) -> list[Tried]:
        """Send this test by every way of its contact now, whoever's hour is quiet.

        Empty if another keeper is sending it.
        """
        with self.store.write() as tx:
            alert = claim_alert(tx, alert_id)
        if alert is None:
            return []
        contact = self._contact(alert.recipient)
        with self.store.read() as tx:
            message = compose(alert, None, self.config, Reader(now=now_of(tx)))
        tried = [
            self.carrier.send_by(way, message, alert.recipient, contact, key=f"alert.{alert.id}")
            for way in contact.to
        ]
        failed = told_ways(tried)
        way = taken_by(tried)
        with self.store.write() as tx:
            if way:
                mark_sent(tx, alert, way=way, failed=failed)
            else:
                mark_failed(tx, alert, failed, wait=_wait_after(alert))
        return tried

    def _claim(self) -> list[Alert]:
        with self.in_hand.lock:
            busy = tuple(self.in_hand.recipients)
            with self.store.read() as tx:
                if not is_alert_due(tx, besides=busy):
                    return []
            with self.store.write() as tx:
                alerts = claim_alerts(
                    tx, besides=busy, digest_seconds=self.config.alert_digest_seconds
                )
            if alerts:
                self.in_hand.recipients.add(alerts[0].recipient)
            return alerts

    def _try(self, alerts: Sequence[Alert]) -> None:
        over = [alert for alert in alerts if alert.over]
        if over:
            with self.store.write() as tx:
                for alert in over:
                    mark_dropped(tx, alert, _OVER if alert.change else _RESOLVED)
        news = [alert for alert in alerts if not alert.over]
        if news and not self._is_quiet(news):
            self._carry(news)

    def _contact(self, recipient: str) -> Contact:
        return self.contacts.get(recipient, BY_MAIL)

    def _is_quiet(self, alerts: Sequence[Alert]) -> bool:
        """Whether their recipient wants no word now; then they are due when that is over."""
        quiet = self._contact(alerts[0].recipient).quiet
        if quiet is None:
            return False
        with self.store.write() as tx:
            until = open_until(time_of(tx), quiet.calendar)
            if until is not None:
                for alert in alerts:
                    put_off(tx, alert, in_ms(until))
        return until is not None

    def _carry(self, alerts: Sequence[Alert]) -> None:
        recipient = alerts[0].recipient
        contact = self._contact(recipient)
        message = self._compose(alerts, contact)
        key = ".".join(["alert", *(str(alert.id) for alert in alerts[:_MOST_IN_KEY])])
        error: str | None = None
        tried: list[Tried] = []
        try:
            tried = self.carrier.carry(message, recipient, contact, key=key)
        except Undeliverable as failure:
            error = str(failure)
            log.warning("alert %s to %s: %s", alerts[0].id, recipient, error)
        with self.store.write() as tx:
            for alert in alerts:
                if error:
                    mark_failed(tx, alert, error, wait=_wait_after(alert))
                else:
                    mark_sent(tx, alert, way=taken_by(tried), failed=told_ways(tried))

    def _compose(self, alerts: Sequence[Alert], contact: Contact) -> Message:
        """One alert whole, or several as a digest."""
        if alerts[0].change is not None:
            with self.store.read() as tx:
                change, now = find_change(tx, alerts[0].change, None), now_of(tx)
                words = words_of(tx, change)
            reader = Reader(now=now, zone=contact.zone_of_reader)
            return compose_change(alerts[0], change, words, self.config, reader)
        with self.store.read() as tx:
            seen = [
                (alert, show_incident(tx, alert.incident_id) if alert.incident_id else None)
                for alert in alerts
            ]
            seen = shown(tx, seen, sees=NO_CLIENT).value  # nobody knows who reads a mail
            now = now_of(tx)
        told = [(alert, incident) for alert, incident in seen if incident is not None]
        if len(told) > 1:
            return compose_digest(told, self.config, Reader(now=now, zone=contact.zone_of_reader))
        alert, incident = seen[0]
        reader = Reader(
            now=now, zone=contact.zone_of_reader, diagnosis=_diagnosis(self.store, alert, incident)
        )
        return compose(alert, incident, self.config, reader)


def _wait_after(alert: Alert) -> float | None:
    """Seconds until a failed alert is tried again; None where that was the last try."""
    return backoff(ALERT_RETRIES, alert.attempts, random.random())


_RESOLVED = "the incident was over before the alert was sent"
_OVER = "the change was decided or edited before the alert was sent"
_MOST_IN_KEY = 20  # ids, which say which message it is to a server that gets it twice


def _diagnosis(store: Store, alert: Alert, incident: IncidentView | None) -> list[str]:
    """What the sender changed, by names alone; empty if nobody can say."""
    if incident is None or incident.kind != IncidentKind.CONTRACT or not incident.standing:
        return []
    try:
        findings = diagnose(store, incident.id)
    except MeshlineError as error:
        log.info("alert %s goes without a diagnosis: %s", alert.id, error)
        return []
    return [bare_finding(finding, None).told() for finding in findings[:MOST_DIAGNOSED]]
