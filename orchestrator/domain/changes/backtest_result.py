"""A backtest as people and programs read it, made from its sums; its digest is what is approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from orchestrator.domain.changes.backtest import Counted, Counts, Tally
from orchestrator.domain.changes.subject import definition_digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Events with one outcome before and one after."""

    before: str  # destinations, as `crm, desk`, or the reason for which they are quarantined
    after: str
    events: int
    examples: tuple[str, ...]  # ids


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedField:
    """A field of what would be sent that is another one."""

    destination: str
    field: str  # `*`: deliveries of items
    change: str  # added, removed or changed
    events: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why events are stopped newly, or were and would not be any more."""

    reason: str
    place: str  # of the contract, broken first; "" where it is all of it, or the reason another
    events: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanAgreement:
    """Of the events that somebody amended and that were delivered so."""

    events: int
    before: int  # of these, how many the version decides so by itself
    after: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LateEvents:
    """Delivered events that took longer than `sla.deliver_within`."""

    delivered: int
    before: int  # by the promise of the live version
    after: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The most deliveries that one destination would get in a minute."""

    destination: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantinedGroup:
    """The events that were in quarantine when an amendment was backtested, however old.

    They are judged as a replay would: as somebody amended them, else as they came.
    """

    events: int  # that have a payload
    looked_at: int  # of these, the oldest
    passing: int  # that would go on
    outcomes: tuple[Cell, ...]  # by the reason of the quarantine, and what is decided now


@dataclass(frozen=True, kw_only=True, slots=True)
class BacktestResult:
    """What a change would have decided. Times are ISO 8601 in UTC."""

    since: str
    until: str
    base_version: int
    events: int  # that were accepted then
    with_payload: int  # of these; the others cannot be decided about again
    looked_at: int
    seed: int | None  # that chose them; None: all with a payload were looked at
    unchanged: int  # events with the same outcome and the same fields
    matrix: tuple[Cell, ...]  # the most events first
    recorded: tuple[Cell, ...]  # the same beside what became of them then
    fields_changed: tuple[ChangedField, ...]
    newly_refused: tuple[Stop, ...]
    newly_passing: tuple[Stop, ...]
    human_agreement: HumanAgreement
    late: LateEvents
    peak_per_minute: tuple[Peak, ...]
    group: QuarantinedGroup | None = None  # of an amendment

    @property
    def refused(self) -> int:
        """Events that would be stopped and are not today."""
        return sum(one.events for one in self.newly_refused)

    @property
    def passing(self) -> int:
        """Events that would pass and are stopped today."""
        return sum(one.events for one in self.newly_passing)

    def digest(self) -> str:
        """64 hex digits over all of it."""
        told = asdict(self)
        if self.group is None:  # the digest of one from before there were groups stays the same
            del told["group"]
        return definition_digest(told)


@dataclass(frozen=True, kw_only=True, slots=True)
class BacktestSaid:
    """What a backtest said, in short; the digest is of all of it."""

    digest: str  # 64 hex digits
    since: str  # ISO 8601 in UTC: events that were accepted then or later,
    until: str  # and before
    looked_at: int  # events
    unchanged: int
    newly_refused: int
    newly_passing: int
    group: int | None  # events in quarantine that an amendment was tried on; None: it is none
    group_passing: int | None


def result_of(
    tally: Tally,
    *,
    since: str,
    until: str,
    base_version: int,
    events: int,
    with_payload: int,
    seed: int | None,
    group: QuarantinedGroup | None = None,
) -> BacktestResult:
    """The sums in numbers of events; those of a sample are rounded."""
    return BacktestResult(
        since=since,
        until=until,
        base_version=base_version,
        events=events,
        with_payload=with_payload,
        looked_at=tally.looked_at,
        seed=seed,
        unchanged=round(tally.unchanged),
        matrix=_cells(tally.matrix),
        recorded=_cells(tally.recorded),
        fields_changed=tuple(
            ChangedField(
                destination=key[0],
                field=key[1],
                change=key[2],
                events=round(one.events),
                examples=tuple(one.examples),
            )
            for key, one in _most_first(tally.fields)
        ),
        newly_refused=_stops(tally.refused),
        newly_passing=_stops(tally.passing),
        human_agreement=HumanAgreement(
            events=round(tally.by_hand.events),
            before=round(tally.by_hand.before),
            after=round(tally.by_hand.after),
        ),
        late=LateEvents(
            delivered=round(tally.late.delivered),
            before=round(tally.late.before),
            after=round(tally.late.after),
        ),
        peak_per_minute=tuple(_peaks(tally)),
        group=group,
    )


def group_of(outcomes: Counts, *, events: int, looked_at: int, passing: int) -> QuarantinedGroup:
    """The counts of the quarantined events of an amendment."""
    return QuarantinedGroup(
        events=events, looked_at=looked_at, passing=passing, outcomes=_cells(outcomes)
    )


def _cells(counts: Counts) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            before=key[0],
            after=key[1],
            events=round(one.events),
            examples=tuple(one.examples),
        )
        for key, one in _most_first(counts)
    )


def _stops(counts: Counts) -> tuple[Stop, ...]:
    return tuple(
        Stop(
            reason=key[0],
            place=key[1],
            events=round(one.events),
            examples=tuple(one.examples),
        )
        for key, one in _most_first(counts)
    )


def _most_first(counts: Counts) -> list[tuple[tuple[str, ...], Counted]]:
    return sorted(counts.items(), key=lambda one: (-one[1].events, one[0]))


def _peaks(tally: Tally) -> Iterable[Peak]:
    for destination in sorted({*tally.minutes_before, *tally.minutes_after}):
        yield Peak(
            destination=destination,
            before=_most(tally.minutes_before.get(destination, {})),
            after=_most(tally.minutes_after.get(destination, {})),
        )


def _most(minutes: Mapping[int, float]) -> int:
    return round(max(minutes.values(), default=0.0))


def said_of(result: BacktestResult) -> BacktestSaid:
    """What of a result is evidence, and a part of what is approved."""
    group = result.group
    return BacktestSaid(
        digest=result.digest(),
        since=result.since,
        until=result.until,
        looked_at=result.looked_at,
        unchanged=result.unchanged,
        newly_refused=result.refused,
        newly_passing=result.passing,
        group=None if group is None else group.events,
        group_passing=None if group is None else group.passing,
    )
