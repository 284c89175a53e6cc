"""Acts on a dead letter: put it back on its queue, or give it up."""

from __future__ import annotations

from collections.abc import Callable

from tornado.web import authenticated

from orchestrator.broker import open_broker
from orchestrator.dashboard.actions.previewed import Confirmation, PreviewedAct
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.operations.quarantine.close_dead_letters import (
    CUT,
    Closed,
    drop_dead_letters,
    requeue_dead_letters,
)
from orchestrator.presenting.dead_letters import told_return
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.dead_letters import DeadLetter
from orchestrator.store.views.quarantine.dead_letters import LetterView, show_dead_letter


class _LetterAct(PreviewedAct):
    """An act that closes one dead letter."""

    tab = "dead-letters"
    act = Act.CLOSE_DEAD_LETTERS

    @authenticated
    async def post(self, number: str) -> None:
        """Answer POST /dead-letters/ID/ACT."""
        back = self.reverse_url("dead-letter", number)
        if not self.is_sure:
            await self.confirm(lambda store: self.preview(store, int(number)), back=back)
            return
        try:
            use_case = self.use_case(int(number))
        except Refused as error:
            self.refuse(error, back=back)
            return
        await self.do(lambda store: _check_done(store, use_case(store), int(number)), back=back)

    def preview(self, store: Store, number: int) -> Confirmation:
        """What it would do. Raises NotFound, Forbidden, Refused."""
        raise NotImplementedError

    def use_case(self, number: int) -> Callable[[Store], Closed]:
        """What to do, with what the form has."""
        raise NotImplementedError


class RequeuePage(_LetterAct):
    """Put it back on the queue that it came from."""

    def preview(self, store: Store, number: int) -> Confirmation:
        """What putting it back would do."""
        done = requeue_dead_letters(store, [number], _post_nothing, actor=self.actor, dry_run=True)
        letter = _check_done(store, done, number)
        says = [
            f"The message goes back on the queue {letter.queue}, exactly as it was.",
            "A worker tries to read it again. If none can, it comes back under another number.",
            "Its clock does not start again.",
            *told_return(done.returned.get(number)),
        ]
        return Confirmation(
            title=f"Put dead letter {number} back", says=says, button="Put it back on its queue"
        )

    def use_case(self, number: int) -> Callable[[Store], Closed]:
        """Put it back."""
        actor, why = self.actor, self.given("why")

        def requeue(store: Store) -> Closed:
            with open_broker() as post:
                return requeue_dead_letters(store, [number], post, actor=actor, why=why)

        return requeue


class DropPage(_LetterAct):
    """Give it up."""

    def preview(self, store: Store, number: int) -> Confirmation:
        """What giving it up would do."""
        done = drop_dead_letters(store, [number], why="", actor=self.actor, dry_run=True)
        _check_done(store, done, number)
        says = [
            "The message is given up: no worker tries it again, and nothing is sent.",
            "Events that it named are not lost: a relay publishes them when their lease ends.",
            "Its body and its headers are kept until retention empties them.",
        ]
        title = f"Drop dead letter {number}"
        return Confirmation(title=title, says=says, button="Drop it", needs_why=True)

    def use_case(self, number: int) -> Callable[[Store], Closed]:
        """Drop it."""
        actor, why = self.actor, self.given("why") or ""
        return lambda store: drop_dead_letters(store, [number], why=why, actor=actor)


def _check_done(store: Store, done: Closed, number: int) -> LetterView:
    """The letter. Raises ChangedSinceSeen where somebody closed it before, Refused if it is cut."""
    with store.read() as tx:
        letter = show_dead_letter(tx, number)
    if letter is None:
        raise NotFound(f"there is no dead letter {number}")
    if number in done.ids:
        return letter
    if any(one.state == CUT for one in done.skipped):
        raise Refused(
            "only its beginning is kept, so it cannot be put back", fix="drop it, or leave it open"
        )
    raise ChangedSinceSeen(
        f"{letter.closed_by} {letter.state} dead letter {number} at {letter.closed_at}",
        fix="look at it again",
    )


def _post_nothing(_letter: DeadLetter) -> None:
    """A dry run puts nothing on the broker."""
