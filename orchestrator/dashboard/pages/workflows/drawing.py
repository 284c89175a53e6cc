"""The map of a workflow, as numbers that a template draws: boxes, and arrows between them.

From left to right: trigger, contract, routes, destinations; below them the quarantine, to which the
dashed arrows of what goes wrong lead. `words.py` says the same in sentences.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.dashboard.pages.workflows.said import Destination, Route, SaidWorkflow
from orchestrator.domain.delivery.blockers import told_calls
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.text.visible import visible
from orchestrator.store.views.destinations.list import DestinationRow
from orchestrator.store.views.workflows.flow import WorkflowFlow

MOST_DRAWN = 12  # routes, and destinations; the others are said by a box, and in the tables

_TOP, _HEIGHT, _GAP = 12, 56, 26  # of boxes, in the drawing's own units
_STEP = _HEIGHT + _GAP
_TRIGGER, _CONTRACT, _ROUTES, _DESTINATIONS = (10, 180), (290, 180), (580, 230), (1040, 230)
"""Where each column begins, and how wide it is."""

_JOINED = 120  # before a destination all arrows to it run together, below their label
_WIDTH = 1280
_LETTER, _BOLD = 7.2, 8.3  # as wide as most letters are; of eastern scripts nearly twice as wide
_PADDING = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A part of the workflow."""

    x: int
    y: int
    width: int
    kind: str  # trigger, contract, route, destination, stopped, quarantine, more
    title: str
    text: str
    height: int = _HEIGHT

    @property
    def middle(self) -> int:
        """The height at which arrows come and go."""
        return self.y + self.height // 2

    @property
    def centre(self) -> int:
        """Halfway between its sides."""
        return self.x + self.width // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrow:
    """A way of events; the drawing's `path` syntax."""

    path: str
    is_exception: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A number beside an arrow: how many events are there now."""

    x: int
    y: int
    text: str
    anchor: str = "middle"  # or start, end
    is_busy: bool = False  # some are there


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """All of it."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]


def draw_map(said: SaidWorkflow, flow: WorkflowFlow) -> Drawing:
    """The map of a version, with what is on its way in the workflow now."""
    trigger = _box(_TRIGGER, 0, "trigger", "Trigger", said.type)
    needs = f"requires {said.required}" if said.required else "requires nothing"
    contract = _box(_CONTRACT, 0, "contract", "Contract", needs)
    routes = [_route(number, one) for number, one in enumerate(said.routes[:MOST_DRAWN])]
    destinations = [
        _destination(number, one, _row_of(one, flow))
        for number, one in enumerate(said.destinations[:MOST_DRAWN])
    ]
    more = [*_more(_ROUTES, said.routes, "routes")]
    more += _more(_DESTINATIONS, said.destinations, "destinations")
    boxes = [trigger, contract, *routes, *destinations, *more]
    bottom = max(box.y for box in boxes) + _HEIGHT
    quarantine = _quarantine(said, flow, bottom)
    arrows = [_across(trigger, contract), _across(contract, routes[0])]
    arrows += [_down(one, other) for one, other in pairwise(routes)]
    arrows += _to_destinations(said, routes, destinations)
    arrows += _to_quarantine(contract, routes[-1], destinations[-1], quarantine)
    return Drawing(
        width=_WIDTH,
        height=quarantine.y + _HEIGHT + _TOP,
        boxes=(*boxes, quarantine),
        arrows=tuple(arrows),
        labels=(
            *_on_the_way(trigger, contract, routes, flow),
            *_at_destinations(said, destinations, flow),
            *_going_wrong(contract, routes[-1], destinations[-1], quarantine, flow),
        ),
    )


def _box(column: tuple[int, int], place: int, kind: str, title: str, text: str) -> Box:
    x, width = column
    return Box(
        x=x,
        y=_TOP + place * _STEP,
        width=width,
        kind=kind,
        title=fitted(title, width, letter=_BOLD),
        text=fitted(text, width),
    )


def _route(place: int, route: Route) -> Box:
    return _box(_ROUTES, place, "route", f"Route {place + 1}", route.when)


def _destination(place: int, one: Destination, row: DestinationRow | None) -> Box:
    if row is None or row.block is None:
        return _box(_DESTINATIONS, place, "destination", one.name, one.calls)
    calls = told_calls(row.block, row.breaker)
    # The state comes first: a long name may be cut, and colour alone tells nobody.
    return _box(_DESTINATIONS, place, "stopped", f"{calls}: {one.name}", one.calls)


def _row_of(one: Destination, flow: WorkflowFlow) -> DestinationRow | None:
    return next((row for row in flow.destinations if row.destination == one.name), None)


def _more(column: tuple[int, int], every: Sequence[object], what: str) -> Iterator[Box]:
    if (more := len(every) - MOST_DRAWN) and more > 0:
        yield _box(column, MOST_DRAWN, "more", f"and {more} more {what}", "in the table below")


def _quarantine(said: SaidWorkflow, flow: WorkflowFlow, bottom: int) -> Box:
    lead = said.owners.get("recovery lead", "")
    width = _ROUTES[0] + _ROUTES[1] - _CONTRACT[0]
    return Box(
        x=_CONTRACT[0],
        y=bottom + 2 * _GAP,
        width=width,
        kind="quarantine",
        title=f"Quarantine: {flow.in_quarantine:,}",
        text=fitted(f"healed by {lead}", width),
    )


def _across(one: Box, other: Box) -> Arrow:
    return Arrow(path=f"M{one.x + one.width},{one.middle} H{other.x}")


def _joining(one: Box, other: Box) -> Arrow:
    start, end = one.x + one.width, other.x - _JOINED
    half = (start + end) // 2
    path = f"M{start},{one.middle} C{half},{one.middle} {half},{other.middle} {end},{other.middle}"
    return Arrow(path=f"{path} H{other.x}")


def _down(one: Box, other: Box) -> Arrow:
    return Arrow(path=f"M{one.centre},{one.y + one.height} V{other.y}")


def _to_destinations(
    said: SaidWorkflow, routes: Sequence[Box], destinations: Sequence[Box]
) -> Iterator[Arrow]:
    drawn = dict(zip((one.name for one in said.destinations), destinations, strict=False))
    for box, route in zip(routes, said.routes, strict=False):
        for name in route.to:
            if name in drawn:
                yield _joining(box, drawn[name])


def _to_quarantine(contract: Box, route: Box, destination: Box, quarantine: Box) -> Iterator[Arrow]:
    for box in (contract, route):
        path = f"M{box.centre},{box.y + box.height} V{quarantine.y}"
        yield Arrow(path=path, is_exception=True)
    right = quarantine.x + quarantine.width
    path = f"M{destination.centre},{destination.y + destination.height} V{quarantine.middle}"
    yield Arrow(path=f"{path} H{right}", is_exception=True)


def _on_the_way(
    trigger: Box, contract: Box, routes: Sequence[Box], flow: WorkflowFlow
) -> Iterator[Label]:
    for one, other, count, word in (
        (trigger, contract, flow.accepted, "accepted"),
        (contract, routes[0], flow.validated, "validated"),
    ):
        x = (one.x + one.width + other.x) // 2
        yield Label(x=x, y=one.middle - 8, text=f"{count:,} {word}", is_busy=count > 0)
    for one, _ in pairwise(routes):
        yield Label(x=one.centre + 8, y=one.y + _HEIGHT + 17, text="no", anchor="start")


def _at_destinations(
    said: SaidWorkflow, destinations: Sequence[Box], flow: WorkflowFlow
) -> Iterator[Label]:
    for box, one in zip(destinations, said.destinations, strict=False):
        row = _row_of(one, flow)
        if row is None:
            continue
        here, x = row.waiting + row.after_others, box.x - 12
        yield Label(x=x, y=box.middle - 8, text=f"{here:,} under way", anchor="end",
                    is_busy=here > 0)  # fmt: skip
        if row.held:
            text = f"{row.held:,} held"
            yield Label(x=x, y=box.middle + 18, text=text, anchor="end", is_busy=True)


def _going_wrong(
    contract: Box, route: Box, destination: Box, quarantine: Box, flow: WorkflowFlow
) -> Iterator[Label]:
    y = quarantine.y - 10
    for box, stage, word in (
        (contract, Stage.VALIDATE, "broke it"),
        (route, Stage.ROUTE, "no route"),
    ):
        count = flow.stalled_at(stage)
        yield Label(
            x=box.centre + 8, y=y, text=f"{count:,} {word}", anchor="start", is_busy=count > 0
        )
    count = flow.not_delivered
    right = quarantine.x + quarantine.width
    yield Label(
        x=(right + destination.centre) // 2,
        y=quarantine.middle - 8,
        text=f"{count:,} not delivered",
        is_busy=count > 0,
    )


def fitted(text: str, width: int, *, letter: float = _LETTER) -> str:
    """A text as far as it fits into a box, with an ellipsis where it does not.

    >>> fitted("customer tier", 60)
    'custo…'
    """
    shown, room = visible(text), (width - 2 * _PADDING) / letter
    taken = 0.0
    for at, one in enumerate(shown):
        taken += 1.8 if unicodedata.east_asian_width(one) in "WF" else 1
        if taken > room:
            return f"{shown[: max(at, 1)]}…"
    return shown
