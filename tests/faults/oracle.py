"""Was anything lost or doubled? Answered by the destination's records and the producers' answers.

The store is asked too, and must say the same. All is read a page at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from orchestrator.domain.lifecycle import STAGE_OF, TRANSITIONS, DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.sandbox.ledger import read_collection
from orchestrator.store.database.engine import AnyRow, Store
from orchestrator.store.database.schema import audit, dead_letters, deliveries, events, quarantine
from orchestrator.store.drive.overlooked import WAKE
from tests.faults.leads import CONTACTS, TICKETS, Lead
from tests.faults.parts import Destination

if TYPE_CHECKING:
    from orchestrator.store.views.events.show import EventView

_PAGE = 5_000
_TOLD_OF_EACH = 5

Where = tuple[str, str]  # a collection of the sandbox, and a key


@dataclass(kw_only=True)
class Verdict:
    """What became of the events of a run."""

    accepted: int = 0
    confirmed: int = 0  # delivered, and all their records are there
    invalid: int = 0  # in quarantine as they must be
    stranded: Counter[str] = field(default_factory=Counter)  # valid ones there, by reason
    lost: dict[str, str] = field(default_factory=dict)  # event id -> why
    doubled: dict[str, str] = field(default_factory=dict)  # key -> how often
    findings: list[str] = field(default_factory=list)  # whatever else is not as it must be
    folded: int = 0  # repeated creates that the destination folded by its own key

    @property
    def quarantined(self) -> int:
        """All that are in quarantine."""
        return self.invalid + sum(self.stranded.values())

    @property
    def flawless(self) -> bool:
        """Whether nothing was lost or doubled, and every rule held."""
        return not (self.lost or self.doubled or self.findings)


@dataclass(kw_only=True)
class Booked:
    """What the destination has under one key."""

    count: int
    says: str  # the field that names the lead
    record_id: str


def judge(sandbox: Destination, store: Store, ids: Mapping[int, str]) -> Verdict:
    """Hold all three books against each other."""
    verdict = Verdict(accepted=len(ids))
    books = _read_books(sandbox, verdict)
    numbers = {event_id: number for number, event_id in ids.items()}
    if len(numbers) != len(ids):
        verdict.findings.append("two leads were answered one id")
    states: dict[str, str] = {}
    for event, made in _events(store):
        states[event.id] = event.state
        number = numbers.get(event.id)
        if number is None:
            known = f"event {event.id} with key {event.idempotency_key}"
            verdict.findings.append(f"{known} is in the store, and nobody was answered it")
        else:
            _judge_event(verdict, Lead(number=number), event, made, books)
    for event_id in numbers.keys() - states.keys():
        verdict.lost[event_id] = "answered, and not in the store"
    verdict.findings += [f"the destination has {where}, and nobody sent it" for where in books]
    _judge_moves(store, states, verdict)
    with store.read() as tx:
        for row in tx.execute(select(dead_letters.c.task, dead_letters.c.error)):
            # Nobody but us has written to the broker.
            verdict.findings.append(
                f"a message of {row.task} was kept as a dead letter: {row.error}"
            )
    return verdict


def _read_books(sandbox: Destination, verdict: Verdict) -> dict[Where, Booked]:
    books: dict[Where, Booked] = {}
    for collection, named_by in ((CONTACTS, "email"), (TICKETS, "title")):
        for record in read_collection(sandbox.url, sandbox.token, collection):
            where = collection, str(record["key"])
            verdict.folded += record["creates"] - 1
            if where in books:
                books[where].count += 1
            else:
                says = str(record["fields"].get(named_by))
                books[where] = Booked(count=1, says=says, record_id=record["id"])
    for (collection, key), booked in books.items():
        if booked.count > 1:
            verdict.doubled[key] = f"{booked.count} records in {collection}"
    return books


def _events(store: Store) -> Iterator[tuple[AnyRow, list[AnyRow]]]:
    """Every event with its deliveries."""
    standing = (quarantine.c.event_id == events.c.id) & quarantine.c.released_at.is_(None)
    statement = (
        select(events, quarantine.c.reason)
        .outerjoin(quarantine, standing)
        .order_by(events.c.id)
        .limit(_PAGE)
    )
    last = ""
    while True:
        with store.read() as tx:
            page = tx.execute(statement.where(events.c.id > last)).all()
            if not page:
                return
            first, last = page[0].id, page[-1].id
            within = deliveries.c.event_id.between(first, last)
            made: defaultdict[str, list[AnyRow]] = defaultdict(list)
            for row in tx.execute(select(deliveries).where(within)):
                made[row.event_id].append(row)
        for event in page:
            yield event, made[event.id]


def _judge_event(
    verdict: Verdict, lead: Lead, event: AnyRow, made: list[AnyRow], books: dict[Where, Booked]
) -> None:
    """One event; what is found in the books is taken out of them."""
    if event.idempotency_key != lead.key:
        said = f"{lead.key} was answered {event.id}, which has key {event.idempotency_key}"
        verdict.findings.append(said)
    wanted = lead.records(event.id)
    found = {where: books.pop(where) for where in wanted if where in books}
    if event.state == State.DELIVERED:
        _judge_delivered(verdict, lead, event, made, found)
    elif event.state == State.QUARANTINED and lead.invalid:
        verdict.invalid += 1
        if event.reason != Reason.CONTRACT_VIOLATION:
            verdict.findings.append(
                f"{lead.key} breaks its contract, and is there as {event.reason}"
            )
    elif event.state == State.QUARANTINED:
        verdict.stranded[event.reason] += 1
    else:
        verdict.lost[event.id] = f"still {event.state}"
    if (event.due_at is None) == (event.state in STAGE_OF):
        verdict.findings.append(f"{event.id} is {event.state} and due at {event.due_at}")


def _judge_delivered(
    verdict: Verdict,
    lead: Lead,
    event: AnyRow,
    made: list[AnyRow],
    found: Mapping[Where, Booked],
) -> None:
    wanted = lead.records(event.id)
    if lead.invalid:
        verdict.findings.append(f"{lead.key} breaks its contract, and {event.id} was delivered")
    if missing := [key for (collection, key) in wanted if (collection, key) not in found]:
        verdict.lost[event.id] = f"delivered, and the destination has no {', '.join(missing)}"
        return
    verdict.confirmed += 1
    for where, booked in found.items():
        if booked.says != wanted[where]:
            text = f"{where} is {booked.says!r}, and was to be {wanted[where]!r}"
            verdict.findings.append(text)
    claimed = {f"{event.id}.{one.destination}": one for one in made}
    for (_, key), booked in found.items():
        one = claimed.get(key)
        if one is None or one.state != DeliveryState.CONFIRMED:
            verdict.findings.append(f"{key} is delivered, and its delivery is not confirmed")
        elif booked.count == 1 and one.record_id != booked.record_id:
            text = f"{key} was confirmed as record {one.record_id}, and is {booked.record_id}"
            verdict.findings.append(text)


_LEGAL = {(one.move.value, one.source, one.target.value) for one in TRANSITIONS}


def _judge_moves(store: Store, states: Mapping[str, str], verdict: Verdict) -> None:
    """The audit has one row a move, each begins where the one before ended, and all are legal."""
    stands: dict[str, str] = {}
    confirmations: Counter[tuple[str, str]] = Counter()
    for row in _audit(store):
        if row.destination is not None:
            confirmations[row.event_id, row.destination] += row.action == "confirm"
            if row.action == WAKE:  # the net held; what let it fall is a fault all the same
                verdict.findings.append(f"{row.event_id} was overlooked, and a relay woke it")
            continue
        before = stands.get(row.event_id)
        if row.source != before or (row.action, row.source, row.target) not in _LEGAL:
            text = f"{row.event_id} was {before}; the audit: {row.action} from {row.source}"
            verdict.findings.append(f"{text} to {row.target} by {row.actor}")
        stands[row.event_id] = row.target
    if stands != states:
        differ = [one for one in states if stands.get(one) != states[one]]
        verdict.findings.append(f"the audit ends elsewhere for {len(differ)}: {differ[:3]}")
    for (event_id, destination), count in confirmations.items():
        if count > 1:
            verdict.findings.append(f"{event_id}.{destination} was confirmed {count} times")


def _audit(store: Store) -> Iterator[AnyRow]:
    wanted = (audit.c.id, audit.c.event_id, audit.c.destination, audit.c.actor, audit.c.action,
              audit.c.source, audit.c.target)  # fmt: skip
    statement = select(*wanted).where(audit.c.event_id.is_not(None)).order_by(audit.c.id)
    last = 0
    while True:
        with store.read() as tx:
            page = tx.execute(statement.where(audit.c.id > last).limit(2 * _PAGE)).all()
        if not page:
            return
        last = page[-1].id
        yield from page


def tell_stories(sandbox: Destination, store: Store, verdict: Verdict) -> Iterator[str]:
    """The first few that were lost or doubled, with all that is known of each."""
    from orchestrator.store.views.events.show import show_event

    wanted: dict[str, str] = dict(list(verdict.lost.items())[:_TOLD_OF_EACH])
    for key, how in list(verdict.doubled.items())[:_TOLD_OF_EACH]:
        event_id = key.partition(".")[0]
        wanted[event_id] = " and ".join(filter(None, [wanted.get(event_id), f"{key}: {how}"]))
    records: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for collection in (CONTACTS, TICKETS):
        for record in read_collection(sandbox.url, sandbox.token, collection):
            event_id = str(record["key"]).partition(".")[0]
            if event_id in wanted:
                records[event_id].append(record)
    for event_id, why in wanted.items():
        yield f"event {event_id}: {why}"
        with store.read() as tx:
            shown = show_event(tx, event_id)
        yield from _story(shown, records[event_id])


def _story(shown: EventView | None, records: list[Mapping[str, Any]]) -> Iterator[str]:
    if shown is not None:
        yield f"  is {shown.state}, due {shown.due_at}, attempt {shown.attempt}"
        for one in shown.deliveries:
            tried = f"{one.state}, attempt {one.attempt}, record {one.record_id}"
            yield f"  delivery to {one.destination}: {tried}, {one.error or 'no error'}"
        for row in shown.history:
            to = row.destination or f"{row.source} -> {row.target}"
            yield f"  {row.at} {row.actor}: {row.action} {to} {row.detail or ''}"
    for record in records:
        yield f"  the destination: {record['collection']} {record['id']} {record['fields']}"
