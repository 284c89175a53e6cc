"""Dead letters: messages of the broker that no worker could read, and one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.given import one_of, query_of, row_number, values_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.roles import EVERY_CLIENT
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.presenting.dead_letters import steps_for, told_return
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.dead_letters import LetterState
from orchestrator.store.views.quarantine.dead_letters import (
    count_letters,
    list_dead_letters,
    show_dead_letter,
)
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50
EVERY = "all"


@dataclass(frozen=True, kw_only=True)
class LetterFilters:
    """Which dead letters; the fields are the names in the address."""

    state: str | None = None  # as `LetterState`, or `all`; None: those that nobody closed
    before: str | None = None  # the last number of the page before

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))


class DeadLettersPage(StorePage):
    """The dead letters that were asked for."""

    tab = "dead-letters"

    @authenticated
    async def get(self) -> None:
        """Answer GET /dead-letters."""
        given = values_of(lambda name: self.get_argument(name, "", escape=False))
        try:
            filters = LetterFilters(
                state=one_of("state", given("state"), [*LetterState, EVERY]),
                before=row_number("before", given("before")),
            )
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.show("dead_letters.html", lambda tx, seen: look_for_letters(tx, filters, seen))


class DeadLetterPage(StorePage):
    """One dead letter: whose it is, until when, what is wrong with it, and what to do."""

    tab = "dead-letters"

    @authenticated
    async def get(self, number: str) -> None:
        """Answer GET /dead-letters/ID."""
        await self.show(
            "dead_letter.html",
            lambda tx, seen: (
                look_at_letter(tx, int(number), seen) | {"offered": self.offered(tx, EVERY_CLIENT)}
            ),
            what="dead letter",
        )


def look_for_letters(
    tx: Tx, filters: LetterFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the list shows: whose a message is nobody knows, so only who sees every client."""
    state = {None: LetterState.STANDING, EVERY: None}.get(filters.state, filters.state)
    found = list_dead_letters(
        tx,
        state=None if state is None else LetterState(state),
        before=None if filters.before is None else int(filters.before),
        limit=PAGE_SIZE + 1 if clients is None else 0,
    )
    shown = found[:PAGE_SIZE]
    return {
        "filters": filters,
        "now": iso(now_of(tx)),
        "counts": count_letters(tx) if clients is None else dict.fromkeys(LetterState, 0),
        "letters": shown,
        "next": str(shown[-1].id) if len(found) > PAGE_SIZE else None,
        "told_return": told_return,
        "told_state": _told_state,
    }


def look_at_letter(tx: Tx, number: int, clients: frozenset[str] | None = None) -> dict[str, object]:
    """What the page of one shows: not its body, which may be anybody's. Raises NotFound."""
    letter = show_dead_letter(tx, number) if clients is None else None
    if letter is None:
        raise NotFound(f"the store has no dead letter {number}")
    return {
        "letter": letter,
        "now": iso(now_of(tx)),
        "steps": steps_for(letter) if letter.state == LetterState.STANDING else (),
        "told_return": told_return,
        "told_state": _told_state,
    }


def _told_state(state: str) -> str:
    """A state as people say it: a letter that nobody closed is open."""
    return "open" if state == LetterState.STANDING else state
