"""Acts on one incident: acknowledge it, give it to somebody, say that it is over."""

from __future__ import annotations

from collections.abc import Callable

from tornado.web import authenticated

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen, Refused
from orchestrator.operations.incidents.handle import (
    Handled,
    acknowledge_incidents,
    assign_incidents,
    resolve_incidents,
)
from orchestrator.operations.incidents.note import note_incident
from orchestrator.store.database.engine import Store


class _IncidentAct(ActPage):
    """An act on one incident, as its page was seen."""

    tab = "incidents"

    @authenticated
    async def post(self, incident: str) -> None:
        """Answer POST /incidents/ID/ACT."""
        back = self.reverse_url("incident", incident)
        try:
            seen = self.given("seen")
            use_case = self.use_case(int(incident), seen=() if seen is None else (seen,))
        except Refused as error:
            self.refuse(error, back=back)
            return
        await self.do(use_case, back=back)

    def use_case(self, number: int, *, seen: tuple[str, ...]) -> Callable[[Store], object]:
        """What to do, with what the form has."""
        raise NotImplementedError


class AcknowledgePage(_IncidentAct):
    """Somebody is on it."""

    act = Act.ACKNOWLEDGE

    def use_case(self, number: int, *, seen: tuple[str, ...]) -> Callable[[Store], object]:
        """Acknowledge it; where somebody else did before, say so."""
        actor, why, lasts = self.actor, self.given("why"), self.given("lasts")

        def acknowledge(store: Store) -> None:
            done = acknowledge_incidents(
                store, [number], actor=actor, why=why, lasts=lasts, seen=seen
            )
            _check_mine(done, actor.name)

        return acknowledge


class AssignPage(_IncidentAct):
    """It is somebody else's."""

    act = Act.ASSIGN

    def use_case(self, number: int, *, seen: tuple[str, ...]) -> Callable[[Store], object]:
        """Give it to them."""
        actor, why, owner = self.actor, self.given("why"), self.given("to") or ""
        return lambda store: assign_incidents(
            store, [number], owner=owner.strip(), actor=actor, why=why, seen=seen
        )


class ResolvePage(_IncidentAct):
    """It is over."""

    act = Act.RESOLVE

    def use_case(self, number: int, *, seen: tuple[str, ...]) -> Callable[[Store], object]:
        """Resolve it."""
        actor, why = self.actor, self.given("why") or ""
        return lambda store: resolve_incidents(store, [number], why=why, actor=actor, seen=seen)


class NotePage(ActPage):
    """Somebody leaves word for whoever looks next; it decides nothing."""

    tab = "incidents"
    act = Act.NOTE

    @authenticated
    async def post(self, incident: str) -> None:
        """Answer POST /incidents/ID/note."""
        actor = self.actor

        def write(store: Store) -> None:
            note_incident(store, int(incident), why=self.given("why") or "", actor=actor)

        await self.do(write, back=self.reverse_url("incident", incident))


def _check_mine(done: Handled, me: str) -> None:
    for before in done.already:
        if before.by != me:
            raise ChangedSinceSeen(
                f"{before.by} acknowledged incident {before.incident} at {before.at}",
                fix="talk to them, or assign it to yourself",
            )
