"""What an alert says, whom it reaches, and what becomes of one that does not arrive."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import func, insert, literal, select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import ChangedSinceSeen, InvalidFile
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.text.links import opens, signed
from orchestrator.keeper.contacts import read_contacts
from orchestrator.keeper.telling import Teller
from orchestrator.operations.incidents import retry_alerts as retrying
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.incidents.retry_alerts import (
    add_test_alert,
    look_at_failed_alerts,
    retry_alerts,
    retry_failed_alerts,
)
from orchestrator.store.clocks.alert_views import SoughtAlerts, list_alerts, list_noise
from orchestrator.store.clocks.alerts import AlertKind, add_alert, announce_incidents
from orchestrator.store.database.clock import after, time_of
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, incidents
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.keeper.conftest import SECRET, Desk
from tests.keeper.stopped import stopped_leads


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf())


def tell(store: Store, desk: Desk) -> int:
    return Teller(store=store, config=desk.settings()).tell()


def again(store: Store) -> None:
    """The wait of what failed is over."""
    with store.write() as tx:
        tx.execute(update(alerts).where(alerts.c.state == "waiting").values(due_at=after(-1)))


def states(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as tx:
        return [(one.kind, one.state, one.attempts) for one in list_alerts(tx)]


def assign(store: Store, owner: str) -> None:
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ASSIGN, actor="cli:tester", owner=owner)


def test_one_message_tells_of_an_incident_however_many_events_it_has(
    desk: Desk, store: Store
) -> None:
    stopped_leads(store, 30)
    keep(store)
    stopped_leads(store, 30)
    keep(store)

    assert tell(store, desk) == 1
    assert tell(store, desk) == 0
    ((to, subject),) = desk.mails.arrived
    assert to == "triage@acme.example"
    assert subject.startswith("[acme/leads] incident 1 opened: ")
    assert "events: 60 stopped now, 60 in all" in desk.mails.texts[0]


def test_its_link_opens_that_page_for_a_while_and_no_other(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    tell(store, desk)

    (line,) = [one for one in desk.mails.texts[0].splitlines() if one.startswith("https://")]
    link = urlsplit(line)
    query = dict(parse_qsl(link.query))
    now = time.time()
    assert (link.netloc, link.path) == ("desk.example", "/incidents/1")
    assert opens(link.path, query, now=now, key="a-key-of-signed-links")
    assert opens(link.path, query, now=now + 7 * 86_400 - 60, key="a-key-of-signed-links")
    assert not opens(link.path, query, now=now + 7 * 86_400 + 60, key="a-key-of-signed-links")
    assert not opens(link.path, query, now=now - 60, key="a-key-of-signed-links")
    assert not opens("/incidents/2", query, now=now, key="a-key-of-signed-links")
    assert not opens(link.path, query, now=now, key="another-key")


@pytest.mark.parametrize(
    "text", ["", ".", "..", "1.2", "é.é", "AAAA", "AAAA.", "A" * 5_000, "a.b.c", "a.\ud800"]
)
def test_what_is_no_signature_opens_nothing(text: str) -> None:
    assert not opens("/incidents/1", {"signed": text}, now=0, key="k")
    assert not opens("/incidents/1", {}, now=0, key="k")


def test_a_signature_is_of_one_page_and_one_moment() -> None:
    link = signed("/incidents/1", now=5, key="k")
    _, _, text = link.partition("?signed=")
    _, _, later = signed("/incidents/1", now=6, key="k").partition("?signed=")

    assert opens("/incidents/1", {"signed": text}, now=5, key="k")
    assert later != text
    stamp, _, signature = text.partition(".")
    forged = f"{later.partition('.')[0]}.{signature}"
    assert not opens("/incidents/1", {"signed": forged}, now=6, key="k")
    assert not opens("/incidents/1." + stamp, {"signed": signature}, now=5, key="k")


def test_an_alert_that_is_refused_is_tried_again_and_shown(desk: Desk, store: Store) -> None:
    desk.mails.refuses = 2
    stopped_leads(store, 1)
    keep(store)

    tell(store, desk)
    with store.read() as tx:
        (shown,) = list_alerts(tx, SoughtAlerts(failing=True))
    assert shown.error is not None
    assert shown.error.startswith("mail: the server said 451")
    assert shown.due_at
    assert tell(store, desk) == 0  # its wait is not over
    again(store)
    tell(store, desk)
    again(store)
    tell(store, desk)

    assert states(store) == [("opened", "sent", 3)]
    assert len(desk.mails.arrived) == 1
    with store.read() as tx:
        (sent,) = list_alerts(tx)
    assert (shown.way, sent.way) == (None, "mail")


def test_after_the_last_try_it_is_given_up(desk: Desk, store: Store) -> None:
    desk.mails.refuses = 100
    stopped_leads(store, 1)
    keep(store)

    for _ in range(20):
        tell(store, desk)
        again(store)

    assert states(store) == [("opened", "failed", 12)]


def test_what_a_person_retries_is_sent_and_dropped_where_it_is_over(
    desk: Desk, store: Store
) -> None:
    stopped_leads(store, 1)
    keep(store)
    assign(store, "second@acme.example")
    keep(store)
    with store.write() as tx:
        tx.execute(update(alerts).values(state="failed", attempts=12, error="no way out"))

    assert retry_alerts(store, [2], actor=login("cli:tester")) == [2]
    tell(store, desk)
    with store.write() as tx:
        tx.execute(update(incidents).values(state="resolved", resolved_at=after(0)))
    assert retry_failed_alerts(store, actor=login("cli:tester")) == [1]
    tell(store, desk)

    assert [to for to, _ in desk.mails.arrived] == ["second@acme.example"]
    assert states(store) == [("opened", "sent", 1), ("opened", "dropped", 1)]


def test_all_that_failed_are_sent_again_as_they_were_seen_and_so_many_at_once(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "MOST_AT_ONCE", 2)
    stopped_leads(store, 1)
    keep(store)
    numbers = [add_test_alert(store, "eve@acme.example", actor=login("cli:ada")) for _ in "ab"]
    with store.write() as tx:
        tx.execute(update(alerts).values(state="failed", attempts=12, error="no way out"))
    with store.read() as tx:
        found = look_at_failed_alerts(tx)
    assert (found.ids, found.total) == ((1, numbers[0]), 3)

    ben = login("cli:ben")
    retry_alerts(store, [1], actor=ben)
    seen = {"seen": found.digest, "since": found.looked_at}
    with pytest.raises(ChangedSinceSeen, match="cli:ben sent alert 1 again at"):
        retry_failed_alerts(store, actor=login("cli:ada"), **seen)  # type: ignore[arg-type]

    assert retry_failed_alerts(store, actor=ben) == numbers
    with store.read() as tx:
        assert look_at_failed_alerts(tx).total == 0


def test_the_ways_of_a_contact_are_tried_in_order_and_no_secret_is_kept(
    desk: Desk, store: Store
) -> None:
    desk.hook.status = 500
    stopped_leads(store, 1)
    assign(store, "on-call@agency.example")  # a hook, then mail
    keep(store)
    assert tell(store, desk) == 1
    assert [to for to, _ in desk.mails.arrived] == ["on-call@agency.example"]

    assign(store, "support-ops@acme.example")  # a hook alone
    keep(store)
    tell(store, desk)

    with store.read() as tx:
        (failed,) = list_alerts(tx, SoughtAlerts(failing=True))
        kept = tx.execute(select(alerts.c.error, alerts.c.recipient)).all()
    assert failed.error == "env:OWNER_HOOK: the service did not take it"
    assert SECRET not in str(kept)


def test_whoever_is_given_an_incident_is_told_of_it(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    tell(store, desk)

    assign(store, "second@acme.example")
    keep(store)
    tell(store, desk)

    told = [to for to, _ in desk.mails.arrived]
    assert told == ["triage@acme.example", "second@acme.example"]


def quiet_now(store: Store, *, quiet: bool) -> str:
    """Quiet hours around this moment, or far from it."""
    with store.read() as tx:
        now = time_of(tx) + timedelta(hours=0 if quiet else 12)
    since, until = now - timedelta(hours=1), now + timedelta(hours=1)
    hours = f"{since:%H:%M}-{until:%H:%M}"
    return f'contacts: {{triage@acme.example: {{quiet: {{zone: UTC, hours: "{hours}"}}}}}}\n'


def test_in_quiet_hours_nothing_is_told_and_after_them_it_is(desk: Desk, store: Store) -> None:
    desk.contacts(quiet_now(store, quiet=True))
    stopped_leads(store, 1)
    keep(store)
    tell(store, desk)
    assert desk.mails.arrived == []
    assert states(store) == [("opened", "waiting", 0)]
    with store.read() as tx:
        wait = tx.execute(select(alerts.c.due_at)).scalar_one()
        hour = tx.execute(select(after(3_600))).scalar_one()
    assert hour - 130_000 < wait <= hour

    desk.contacts(quiet_now(store, quiet=False))
    again(store)
    tell(store, desk)

    assert len(desk.mails.arrived) == 1


def test_what_is_over_before_it_was_told_is_not_told(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    with store.write() as tx:
        tx.execute(update(incidents).values(state="resolved", resolved_at=after(0)))

    tell(store, desk)
    keep(store)

    assert states(store) == [("opened", "dropped", 1)]
    assert desk.mails.arrived == []


def test_a_keeper_that_died_while_it_sent_is_followed_by_another(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    from orchestrator.store.clocks.alerts import claim_alerts

    with store.write() as tx:
        assert claim_alerts(tx)
    assert tell(store, desk) == 0
    again(store)  # its claim runs out

    tell(store, desk)

    assert states(store) == [("opened", "sent", 2)]


def test_a_mail_connector_that_cannot_be_read_is_a_failure_that_is_told(
    desk: Desk, store: Store
) -> None:
    mail = desk.folder / "connectors" / "mail.yaml"
    mail.write_text(mail.read_text().replace("timeout: 5s", "timeout: 5 years"))
    stopped_leads(store, 1)
    keep(store)

    assert tell(store, desk) == 1

    with store.read() as tx:
        (failed,) = list_alerts(tx, SoughtAlerts(failing=True))
    assert failed.attempts == 1
    assert "timeout" in str(failed.error)


def test_an_alert_that_nobody_acts_on_is_noise(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    tell(store, desk)
    with store.write() as tx:
        tx.execute(update(incidents).values(opened_at=after(-2 * 86_400)))
    with store.read() as tx:
        (noise,) = list_noise(tx)
    assert (noise.incident, noise.alerts, noise.why) == (1, 1, "never")

    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:tester")
    with store.read() as tx:
        assert list_noise(tx) == []
        assert tx.execute(select(func.count()).select_from(alerts)).scalar_one() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contacts: {a@b.example: {to: [https://hooks.example/x]}}", "write env:NAME"),
        ("contacts: {a@b.example: {too: [mail]}}", "write `to`"),
        ("contacts: {a@b.example: {to: []}}", "at least 1"),
        ("people: {}", "contacts"),
        (
            'contacts: {a@b.example: {quiet: {zone: UTC, hours: "00:00-24:00"}}}',
            "no time is left",
        ),
        ('contacts: {a@b.example: {quiet: {zone: UTC, hours: "22"}}}', "not a span"),
    ],
)
def test_what_is_wrong_in_the_file_of_contacts_is_told(desk: Desk, text: str, said: str) -> None:
    desk.contacts(text)

    with pytest.raises(InvalidFile) as caught:
        read_contacts(desk.folder / "contacts.yaml")

    assert said in str(caught.value)


def more_incidents(store: Store, numbers: range) -> None:
    """Incidents that opened for the recovery lead, each with its alert."""
    names = [column.name for column in incidents.c if column.name != "id"]
    with store.write() as tx:
        for number in numbers:
            like = [
                literal(f"cause {number}") if name == "cause" else incidents.c[name]
                for name in names
            ]
            same = select(*like).where(incidents.c.id == 1)
            tx.execute(insert(incidents).from_select(names, same))
        announce_incidents(tx)


def test_what_opens_within_a_minute_of_an_alert_goes_as_one_message(
    desk: Desk, store: Store
) -> None:
    teller = Teller(store=store, config=desk.settings(alert_digest_seconds=60))
    stopped_leads(store, 1)
    keep(store)
    assert teller.tell() == 1  # the first goes at once
    more_incidents(store, range(3))
    assert teller.tell() == 0
    assert states(store)[:3] == [("opened", "waiting", 0)] * 3  # no try is counted
    with store.write() as tx:
        tx.execute(update(alerts).where(alerts.c.state == "sent").values(sent_at=after(-61)))
        tx.execute(update(alerts).where(alerts.c.state == "waiting").values(due_at=after(-1)))

    assert teller.tell() == 1
    assert [subject for _, subject in desk.mails.arrived][1] == "[Meshline] 3 alerts: 3 opened"
    assert states(store) == [("opened", "sent", 1)] * 4


def test_an_escalation_does_not_wait_and_takes_along_what_waits(desk: Desk, store: Store) -> None:
    teller = Teller(store=store, config=desk.settings(alert_digest_seconds=60))
    stopped_leads(store, 1)
    keep(store)
    teller.tell()
    more_incidents(store, range(2))
    teller.tell()
    with store.write() as tx:
        add_alert(
            tx, 1, round_=0, kind=AlertKind.ESCALATED, step=1,
            recipient="triage@acme.example", role="recovery_lead",
        )  # fmt: skip

    assert teller.tell() == 1
    assert desk.mails.arrived[1][1] == "[Meshline] 3 alerts: 2 opened, 1 escalated"


def test_a_digest_that_is_refused_is_tried_again_whole(desk: Desk, store: Store) -> None:
    teller = Teller(store=store, config=desk.settings(alert_digest_seconds=60))
    stopped_leads(store, 1)
    keep(store)
    more_incidents(store, range(2))
    desk.mails.refuses = 1
    assert teller.tell() == 1
    assert {state for _, state, _ in states(store)} == {"waiting"}
    again(store)

    assert teller.tell() == 1
    assert [subject for _, subject in desk.mails.arrived] == ["[Meshline] 3 alerts: 3 opened"]
    assert states(store) == [("opened", "sent", 2)] * 3


def test_a_web_hook_gets_fields_for_programs(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    assign(store, "support-ops@acme.example")
    keep(store)
    tell(store, desk)

    ((_, body),) = desk.hook.posted
    assert body["type"] == "warning"
    wanted = {
        "fields_version": 1, "id": 2, "incident": 1, "client": "acme", "workflow": "leads",
        "kind": "opened", "side": "contract", "reason": "contract_violation", "step": 0,
        "clock": "recover_within", "urgency": "normal", "events": 1, "runbook": None,
    }  # fmt: skip
    assert {name: body[name] for name in wanted} == wanted
    assert body["url"].startswith("https://desk.example/incidents/1?")
