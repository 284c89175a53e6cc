"""A backtest in sentences, for the command line and the pages."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.changes.backtest import ITEMS
from orchestrator.domain.changes.backtest_result import BacktestResult, QuarantinedGroup, Stop
from orchestrator.presenting.moments import moment

_MOST_OUTCOMES = 20  # of a group, in sentences


def coverage(found: BacktestResult) -> str:
    """Which events were looked at."""
    told = (
        f"{found.looked_at:,} of {found.events:,} events that were accepted from"
        f" {moment(found.since)} to {moment(found.until)}"
    )
    if found.seed is not None:
        told += f", a sample that stands for all (seed {found.seed})"
    if (gone := found.events - found.with_payload) > 0:
        told += f"; {gone:,} have no payload any more"
    return told


def sentences(found: BacktestResult) -> Iterator[str]:
    """What it found beside the matrix, the group of an amendment first, then the gravest."""
    if found.group is not None:
        yield from _of_group(found.group)
    for one in found.newly_refused:
        yield f"{_events(one.events)} would be stopped and are not today: {_cause(one)}"
    for one in found.newly_passing:
        yield f"{_events(one.events)} would pass and are stopped today: {_cause(one)}"
    for field in found.fields_changed:
        name = "deliveries of items" if field.field == ITEMS else field.field
        yield f"{field.destination}: {name} {field.change} in {_events(field.events)}"
    people = found.human_agreement
    if people.events:
        yield (
            f"of {_events(people.events)} that somebody amended and that were delivered, version"
            f" {found.base_version} decides {people.before:,} so by itself, and this one"
            f" {people.after:,}"
        )
    late = found.late
    if late.before != late.after:
        yield (
            f"of {_events(late.delivered)} that were delivered, {late.after:,} took longer than"
            f" would be promised; {late.before:,} than is promised today"
        )
    for peak in found.peak_per_minute:
        if peak.before != peak.after:
            yield (
                f"{peak.destination}: at most {peak.after:,} deliveries a minute;"
                f" {peak.before:,} today"
            )


def _of_group(group: QuarantinedGroup) -> Iterator[str]:
    told = f"of {_events(group.events)} in quarantine, {group.passing:,} would go on"
    if group.looked_at < group.events:
        told += f", of the oldest {group.looked_at:,} that were looked at"
    yield told
    for one in group.outcomes[:_MOST_OUTCOMES]:
        yield f"in quarantine for {one.before}: {_events(one.events)} would end as {one.after}"


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number:,} events"


def _cause(one: Stop) -> str:
    return f"{one.reason} at {one.place}" if one.place else one.reason
