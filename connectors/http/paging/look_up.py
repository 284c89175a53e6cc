"""A look-up: the record that carries the key, and its absence only where the list was whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from connectors.definition.paths import Unreadable
from connectors.http.answers import parse
from connectors.http.calls import Calls
from connectors.http.paging.whole_lists import Onward, Page, Unproven
from connectors.http.placeholders.values import Unfillable, Values
from connectors.http.plan import ActionPlan, Finder, misread
from connectors.http.wire.exchange import Answer
from orchestrator.domain.errors import DestinationRefused


async def look_up(
    calls: Calls, plan: ActionPlan, finder: Finder, values: Values, *, alone: bool = False
) -> tuple[object, Answer] | None:
    """The one record that is looked for, with its answer; None where it is certainly not there.

    `alone` reads on, as far as the list can be, for a second one. Raises DestinationRefused where
    its list may go on: then a person decides.
    """
    try:
        return await _read_list(calls, plan, finder, values, alone=alone)
    except Unproven as error:
        told = f"it is not known whether the record is there: {error}"
        raise DestinationRefused(f"{finder.request.name}: {told}") from None
    except Unreadable as error:
        raise misread(finder.request, error) from None
    except Unfillable as error:
        raise DestinationRefused(f"{finder.request.name}: {error}") from None


async def _read_list(
    calls: Calls, plan: ActionPlan, finder: Finder, values: Values, *, alone: bool
) -> tuple[object, Answer] | None:
    found: tuple[object, Answer] | None = None
    try:
        async with aclosing(_pages(calls, plan, finder, values)) as pages:
            async for document, answer in pages:
                item = finder.item(document, values)
                if item is None or (found and finder.identity(item) == finder.identity(found[0])):
                    continue
                if found is not None:
                    raise Unreadable("records on two pages carry the key, where one was expected")
                found = item, answer
                if not alone:
                    break
    except Unproven:
        if found is None:
            raise
    return found


async def _pages(
    calls: Calls, plan: ActionPlan, finder: Finder, values: Values
) -> AsyncGenerator[tuple[object, Answer], None]:
    """The answers of a look-up until its list is whole. Raises Unproven where it may go on."""
    onward: Onward | None = None
    number = listed = 0
    seen: set[str] = set()
    while True:
        reply = await calls.ask(plan, finder.request, values, onward)
        if reply.absent:
            if onward is not None:
                raise Unproven(f"a page after the first is not there; {len(seen)} were read")
            return
        if reply.error:
            raise reply.error
        document = parse(reply.answer, "the list")
        items = finder.identities(document)
        if seen and items and seen.issuperset(items):
            raise Unproven(f"the next page is the same again; {len(seen)} were read")
        yield document, reply.answer
        seen.update(items)
        number, listed = number + 1, listed + len(items)
        onward = finder.whole_list.onward(
            Page(
                answer=reply.answer,
                document=document,
                items=len(items),
                listed=listed,
                read=len(seen),
                number=number,
                came_by=onward,
            )
        )
        if onward is None:
            return
