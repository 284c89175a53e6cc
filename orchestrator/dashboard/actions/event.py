"""Acts on one event: give it up, take that back, write its payload by hand."""

from __future__ import annotations

from http import HTTPStatus

from tornado.web import authenticated

from connectors.registry import catalog, load_connectors
from orchestrator.dashboard.access.local_paths import login_with
from orchestrator.dashboard.actions.act import ActPage, answer_to
from orchestrator.dashboard.actions.previewed import Confirmation, PreviewedAct
from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import LoginRefused, MeshlineError, Refused
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import restore_events
from orchestrator.operations.quarantine.select import changed_meanwhile
from orchestrator.operations.repair.amend_by_hand import (
    LONGEST,
    ByHand,
    amend_by_hand,
    preview_by_hand,
)
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Selection


class _EventAct(PreviewedAct):
    """An act on one event, which is first shown."""

    @authenticated
    async def post(self, event_id: str) -> None:
        """Answer POST /events/ID/ACT."""
        named = searchable(event_id)
        back = self.reverse_url("event", named)
        try:
            why = self.given("why") or ""
        except Refused as error:
            self.refuse(error, back=back)
            return
        if self.is_sure:
            await self.do(lambda store: self.act_on(store, named, why), back=back)
        else:
            await self.confirm(lambda store: self.preview(store, named), back=back)

    def preview(self, store: Store, event_id: str) -> Confirmation:
        """What it would do. Raises NotFound, Forbidden, ChangedSinceSeen."""
        raise NotImplementedError

    def act_on(self, store: Store, event_id: str, why: str) -> None:
        """Do it. Raises as the use case, and ChangedSinceSeen where somebody was there before."""
        raise NotImplementedError


class DiscardEventPage(_EventAct):
    """Give it up."""

    act = Act.DISCARD

    def preview(self, store: Store, event_id: str) -> Confirmation:
        """What giving it up would do."""
        chosen = Selection(ids=(event_id,))
        done = discard_events(store, chosen, why="", actor=self.actor, dry_run=True)
        for left in done.skipped:
            raise changed_meanwhile(left.id, left.act)
        causes = [f"It is in quarantine for {one.reason}." for one in done.causes]
        return Confirmation(
            title=f"Discard event {event_id}",
            says=[*causes, *told_discard(1)],
            button="Discard it",
        )

    def act_on(self, store: Store, event_id: str, why: str) -> None:
        """Give it up."""
        chosen = Selection(ids=(event_id,))
        done = discard_events(store, chosen, why=why, actor=self.actor, seen={event_id})
        for left in done.skipped:
            raise changed_meanwhile(left.id, left.act)


class RestoreEventPage(_EventAct):
    """Take its discard back."""

    act = Act.RESTORE

    def preview(self, store: Store, event_id: str) -> Confirmation:
        """What taking it back would do."""
        chosen = Selection(ids=(event_id,))
        done = restore_events(store, chosen, why="", actor=self.actor, dry_run=True)
        for left in done.skipped:
            raise changed_meanwhile(left.id, left.act)
        for empty in done.refused:
            raise Refused(empty.detail, field="event", fix="nothing of it is left to restore")
        title = f"Restore event {event_id}"
        return Confirmation(title=title, says=told_restore(1), button="Restore it")

    def act_on(self, store: Store, event_id: str, why: str) -> None:
        """Take it back."""
        done = restore_events(store, Selection(ids=(event_id,)), why=why, actor=self.actor)
        for left in done.skipped:
            raise changed_meanwhile(left.id, left.act)
        for empty in done.refused:
            raise Refused(empty.detail, field="event", fix="nothing of it is left to restore")


class AmendEventPage(ActPage):
    """Write its payload by hand: tried first, beside what it is now, and then applied."""

    act = Act.AMEND

    @authenticated
    async def post(self, event_id: str) -> None:
        """Answer POST /events/ID/amend."""
        named = searchable(event_id)
        try:
            text = self.given("payload", longest=LONGEST) or ""
            seen, sure = self.given("seen"), self.given("sure") is not None
            plans = self.given("then") == "plan"
        except Refused as error:
            self.refuse(error, back=self.reverse_url("event", named))
            return
        if sure and seen:
            await self._apply(named, text, seen, plans=plans)
        else:
            await self._try(named, text)

    async def _apply(self, event_id: str, text: str, seen: str, *, plans: bool) -> None:
        actor, connectors = self.actor, self.application.connectors

        def amend(store: Store) -> str | None:
            amend_by_hand(store, event_id, text, seen=seen, actor=actor)
            if not plans:
                return None
            known = catalog(load_connectors(connectors))
            chosen = Selection(ids=(event_id,))
            return plan_replay(store, chosen, catalog=known, actor=actor).token

        back = self.reverse_url("event", event_id)
        await self.do(
            amend, back=back, to=lambda token: self.reverse_url("plan", token) if token else back
        )

    async def _try(self, event_id: str, text: str) -> None:
        """Show what it would come to, with the text in the form again."""
        back, actor = self.reverse_url("event", event_id), self.actor
        try:
            found = await self._reader.run(
                lambda store: preview_by_hand(store, event_id, text, actor=actor), lane=Lane.ACT
            )
        except LoginRefused:
            self.redirect(login_with(back), status=303)
        except MeshlineError as error:
            if answer_to(error)[0] is not HTTPStatus.BAD_REQUEST:
                self.refuse(error, back=back)
                return
            self.set_status(HTTPStatus.BAD_REQUEST)
            self._form(event_id, text, None, wrong=str(error))
        else:
            self._form(event_id, text, found)

    def _form(self, event_id: str, text: str, found: ByHand | None, *, wrong: str = "") -> None:
        self.page("amend_event.html", event_id=event_id, text=text, found=found, wrong=wrong)


def told_discard(count: int) -> list[str]:
    """What becomes of events that are given up, in sentences."""
    it = "It" if count == 1 else "They"
    return [
        f"{_events(count)} given up: nothing more of {it.lower().replace('they', 'them')} is sent.",
        "Deliveries that were confirmed before stay as they are.",
        f"{it} can be restored until retention empties {'it' if count == 1 else 'them'}.",
    ]


def told_restore(count: int) -> list[str]:
    """What becomes of events whose discard is taken back, in sentences."""
    return [
        f"{_events(count)} back in quarantine, as before the discard.",
        "Nothing is sent until a replay; the incident is open again, with its clock.",
    ]


def _events(count: int) -> str:
    return "1 event is" if count == 1 else f"{count:,} events are"
