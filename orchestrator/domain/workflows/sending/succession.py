"""Destinations that come after others: which others, and where that cannot work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.cel.text import tokens
from orchestrator.domain.workflows.sending.records import parts_used, record_word
from orchestrator.domain.workflows.workflow import NOT_NAMES, Destination, Route

Predecessors = Mapping[str, Collection[str]]
"""The destinations before each that comes after others, those before these among them."""


def predecessors(destinations: Mapping[str, Destination | None]) -> Predecessors:
    """Those before each destination; a circle ends where it closes."""
    found = {}
    for name, destination in destinations.items():
        if destination and destination.after:
            found[name] = frozenset(_before(name, destinations))
    return found


def rested_on(destinations: Iterable[str], predecessors: Predecessors) -> frozenset[str]:
    """The destinations that one of these comes after, and may have the record of."""
    return frozenset().union(*(predecessors.get(one, ()) for one in destinations))


def _before(name: str, destinations: Mapping[str, Destination | None]) -> Collection[str]:
    seen: set[str] = set()
    left = [name]
    while left:
        destination = destinations.get(left.pop())
        new = set(destination.after if destination else ()) - seen
        seen |= new
        left += new
    return seen


def succession_faults(
    routes: Mapping[int, Route | None],
    destinations: Mapping[str, Destination | None],
    facts: Collection[str],
) -> Iterator[Fault]:
    """Unknown names, names that expressions cannot have, circles, and routes that lack one."""
    for name, destination in destinations.items():
        if destination:
            yield from _after_faults(name, destination, destinations, facts)
    yield from _circles(destinations)
    for index, route in routes.items():
        if route:
            yield from _lacking(index, route, destinations)


def _after_faults(
    name: str,
    destination: Destination,
    destinations: Mapping[str, Destination | None],
    facts: Collection[str],
) -> Iterator[Fault]:
    for place, other in enumerate(destination.after):
        path = f"destinations.{name}.after.{place}"
        if other not in destinations:
            fix = did_you_mean(other, [one for one in destinations if one != name])
            yield Fault(path=path, problem=f"there is no destination `{other}`", fix=fix)
        elif fault := _unfit_name(path, other, destination.after[:place], facts):
            yield fault
        elif (before := destinations[other]) and before.each is not None:
            yield from _of_items(name, destination, other)


def _of_items(name: str, destination: Destination, other: str) -> Iterator[Fault]:
    """Where it wants the record of a destination that makes one for each item."""
    for field, sent in destination.send.items():
        if used := parts_used(tokens(f"{sent.value} {sent.default or ''}"), (other,)):
            problem = f"`{used[0]}`: `{other}` makes a record for each item, and not one"
            path = f"destinations.{name}.send.{field}"
            yield Fault(path=path, problem=problem, fix="take it out; `after` may stay")


def _unfit_name(
    path: str, name: str, earlier: Collection[str], facts: Collection[str]
) -> Fault | None:
    """Why a record cannot go by this name."""
    word = record_word(name)
    if name in earlier:
        return Fault(path=path, problem=f"`{name}` comes twice", fix="name it once")
    if word in NOT_NAMES or word[0].isdigit():
        problem = f"expressions cannot name the record of `{name}`: CEL has no name `{word}`"
        return Fault(path=path, problem=problem, fix="give the destination another name")
    if word in facts:
        problem = f"`{word}` would be a fact and the record of `{name}`"
        return Fault(path=path, problem=problem, fix="give the fact another name")
    if any(record_word(one) == word for one in earlier):
        problem = f"expressions would name two records `{word}`"
        return Fault(path=path, problem=problem, fix="give one destination another name")
    return None


def _circles(destinations: Mapping[str, Destination | None]) -> Iterator[Fault]:
    """Each circle once, at the first of its destinations in the file."""
    told: set[str] = set()
    for name, before in predecessors(destinations).items():
        if name not in before or name in told:
            continue
        circle = _way_back(name, destinations)
        told.update(circle)
        shown = ", after ".join(f"`{one}`" for one in (*circle, name))
        problem = f"{shown}: none of them would ever be sent"
        fix = f"take `{circle[1] if len(circle) > 1 else name}` out of it"
        yield Fault(path=f"destinations.{name}.after", problem=problem, fix=fix)


def _way_back(name: str, destinations: Mapping[str, Destination | None]) -> tuple[str, ...]:
    """The shortest way from a destination over those before it to itself, without its end."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    for way in ways:
        destination = destinations.get(way[-1])
        for other in destination.after if destination else ():
            if other == name:
                return way
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return (name,)


def _lacking(
    index: int, route: Route, destinations: Mapping[str, Destination | None]
) -> Iterator[Fault]:
    """Where a route leads to a destination and not to those that it comes after."""
    for place, name in enumerate(route.to):
        destination = destinations.get(name)
        for other in destination.after if destination else ():
            if other in destinations and other != name and other not in route.to:
                problem = (
                    f"route {index + 1} leads to `{name}`, which is after `{other}`,"
                    f" and `{other}` is not in it"
                )
                fix = f"add `{other}` to the route"
                yield Fault(path=f"routes.{index}.to.{place}", problem=problem, fix=fix)
