"""The difference of routes, facts and destinations in words: which events go where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.domain.changes.words.wording import (
    Affected,
    Direction,
    Part,
    Wording,
    listed,
    quoted,
)
from orchestrator.domain.workflows.workflow import Destination, Fact, Route, Sent


def fact_words(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> Iterator[Wording]:
    """What facts are, and what they were."""
    for name, fact in after.items():
        was = before.get(name)
        if was is None:
            yield _of_facts(
                Direction.ADDED, f"the fact {quoted(name)} is new: {quoted(fact.value)}"
            )
        elif was.value != fact.value:
            told = f"{quoted(fact.value)}, before: {quoted(was.value)}"
            yield _of_facts(Direction.CHANGED, f"the fact {quoted(name)} is {told}")
        elif was.optional != fact.optional:
            loose = Direction.LOOSER if fact.optional else Direction.STRICTER
            says = "may now be absent" if fact.optional else "may no longer be absent"
            yield _of_facts(loose, f"the fact {quoted(name)} {says}")
    for name in before:
        if name not in after:
            yield _of_facts(Direction.REMOVED, f"the fact {quoted(name)} is taken away")


def _of_facts(direction: Direction, says: str) -> Wording:
    return Wording(part=Part.FACTS, direction=direction, says=says)


def route_words(before: Sequence[Route], after: Sequence[Route]) -> Iterator[Wording]:
    """Which events go to other destinations, by the rules of the routes."""
    old, new = _by_rule(before), _by_rule(after)
    gone = [rule for rule in old if rule not in new]
    come = [rule for rule in new if rule not in old]
    for rule in come:
        was = [one for one in gone if old[one] == new[rule]]
        if len(was) == 1 and [one for one in come if new[one] == new[rule]] == [rule]:
            gone.remove(was[0])
            says = f"where {quoted(rule)}, before: where {quoted(was[0])}"
            yield _of_routes(Direction.CHANGED, f"events go to {listed(new[rule])} {says}")
        else:
            says = f"events go to {listed(new[rule])} where {quoted(rule)}"
            yield _of_routes(Direction.ADDED, f"a new route: {says}")
    for rule in gone:
        says = f"events where {quoted(rule)} have no route of their own any more"
        lost = f"; they went to {listed(old[rule])}"
        yield _of_routes(Direction.REMOVED, says + lost, Affected.TOOLS)
    for rule, to in new.items():
        if rule in old:
            yield from _led(rule, old[rule], to)
    kept_before = [rule for rule in old if rule in new]
    kept_after = [rule for rule in new if rule in old]
    if kept_before != kept_after:
        says = "routes are tried in another order, and the first that holds is taken"
        yield _of_routes(Direction.CHANGED, says, Affected.TOOLS)


def _by_rule(routes: Sequence[Route]) -> dict[str, tuple[str, ...]]:
    """Where each rule leads; of two with one rule the first: no event takes the other."""
    found: dict[str, tuple[str, ...]] = {}
    for route in routes:
        found.setdefault(route.when, route.to)
    return found


def _led(rule: str, was: tuple[str, ...], now: tuple[str, ...]) -> Iterator[Wording]:
    for name in now:
        if name not in was:
            says = f"{quoted(name)} gets events where {quoted(rule)} now, too"
            yield _of_routes(Direction.ADDED, says)
    for name in was:
        if name not in now:
            says = f"{quoted(name)} gets events where {quoted(rule)} no longer"
            yield _of_routes(Direction.REMOVED, says, Affected.TOOLS)


def _of_routes(direction: Direction, says: str, breaks: Affected | None = None) -> Wording:
    return Wording(part=Part.ROUTES, direction=direction, says=says, breaks=breaks)


def destination_words(
    before: Mapping[str, Destination], after: Mapping[str, Destination]
) -> Iterator[Wording]:
    """Which destinations are new, gone or renamed, and what they are sent otherwise."""
    gone = [name for name in before if name not in after]
    for name, one in after.items():
        if name in before:
            yield from _changed(quoted(name), before[name], one)
            continue
        same = [other for other in gone if before[other] == one]
        if len(same) == 1:
            gone.remove(same[0])
            says = f"the destination {quoted(same[0])} is called {quoted(name)} now"
            yield _of_destinations(Direction.RENAMED, says)
        else:
            says = f"the destination {quoted(name)} is new: {_called(one)}"
            yield _of_destinations(Direction.ADDED, says)
    for name in gone:
        says = f"the destination {quoted(name)} is taken away: {_called(before[name])}"
        yield _of_destinations(Direction.REMOVED, says, Affected.TOOLS)


def _called(one: Destination) -> str:
    return f"{one.action} by connector {one.connector}"


def _changed(name: str, was: Destination, now: Destination) -> Iterator[Wording]:
    if _called(was) != _called(now):
        says = f"{name} calls {_called(now)}, before: {_called(was)}"
        yield _of_destinations(Direction.CHANGED, says, Affected.TOOLS)
    yield from _sent(name, was.send, now.send)
    for field in now.confirm:
        if field not in was.confirm:
            says = f"{quoted(field)} of {name} is read back and compared now"
            yield _of_destinations(Direction.STRICTER, says)
    for field in was.confirm:
        if field not in now.confirm:
            says = f"{quoted(field)} of {name} is no longer read back and compared"
            yield _of_destinations(Direction.LOOSER, says)
    for word, old, new in (
        ("is sent after", listed(was.after), listed(now.after)),
        ("is sent once for each of", was.each, now.each),
        ("tells its items apart by", was.key, now.key),
        ("calls an item", was.item_name, now.item_name),
        ("has to be sent", listed(was.required), listed(now.required)),
    ):
        if (old or None) != (new or None):
            says = f"{name} {word} {new or 'nothing'} now, before: {old or 'nothing'}"
            yield _of_destinations(Direction.CHANGED, says)


def _sent(name: str, was: Mapping[str, Sent], now: Mapping[str, Sent]) -> Iterator[Wording]:
    for field, one in now.items():
        if field not in was:
            says = f"{name} is sent {quoted(field)} now, too: {quoted(one.value)}"
            yield _of_destinations(Direction.ADDED, says)
        elif was[field] != one:
            says = f"{name} is sent other values in {quoted(field)}: {_valued(one)}"
            before = f", before: {_valued(was[field])}"
            yield _of_destinations(Direction.CHANGED, says + before, Affected.TOOLS)
    for field in was:
        if field not in now:
            says = f"{name} is sent {quoted(field)} no longer"
            yield _of_destinations(Direction.REMOVED, says, Affected.TOOLS)


def _valued(one: Sent) -> str:
    default = "" if one.default is None else f", or {quoted(one.default)} where that is absent"
    return f"{quoted(one.value)}{default}"


def _of_destinations(direction: Direction, says: str, breaks: Affected | None = None) -> Wording:
    return Wording(part=Part.DESTINATIONS, direction=direction, says=says, breaks=breaks)
