"""Acts on a destination, a connector or an action: hold its deliveries back, let them pass."""

from __future__ import annotations

from collections.abc import Callable

from tornado.web import authenticated

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.given import searchable
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.pauses import ENDLESS
from orchestrator.domain.errors import Refused
from orchestrator.operations.preview_switch import compare_destination
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.database.engine import Store, Tx

MOMENT = "moment"
"""As an end: that of the field beside it, in UTC."""


class _SwitchPage(ActPage):
    """An act on what holds deliveries back, as its page was seen."""

    tab = "destinations"

    @authenticated
    async def post(self, name: str) -> None:
        """Answer POST /acts/ACT/NAME."""
        named = searchable(name)
        back = self.reverse_url("destination", named)
        try:
            use_case = self.use_case(named, seen=self.given("seen"))
        except Refused as error:
            self.refuse(error, back=back)
            return
        await self.do(use_case, back=back)

    def use_case(self, name: str, *, seen: str | None) -> Callable[[Store], object]:
        """What to do, with what the form has."""
        raise NotImplementedError


class PausePage(_SwitchPage):
    """Hold deliveries back."""

    act = Act.PAUSE

    def use_case(self, name: str, *, seen: str | None) -> Callable[[Store], object]:
        """Pause it, or give its pause another end. Raises Refused."""
        actor, why, until = self.actor, self.given("why") or "", self._end()
        return lambda store: pause_destination(
            store, [name], why=why, actor=actor, until=until, compare=_compare(name, seen)
        )

    def _end(self) -> str:
        chosen = self.given("until")
        if chosen != MOMENT:
            return chosen or ENDLESS
        moment = self.given("moment")
        if moment is None:
            raise Refused(
                "the moment is missing", field="moment", fix="fill it in, or choose another end"
            )
        return f"{moment}+00:00"


class ResumePage(_SwitchPage):
    """Let deliveries pass again."""

    act = Act.RESUME

    def use_case(self, name: str, *, seen: str | None) -> Callable[[Store], object]:
        """Resume it."""
        actor, why = self.actor, self.given("why") or ""
        return lambda store: resume_destination(
            store, [name], why=why, actor=actor, compare=_compare(name, seen)
        )


def _compare(name: str, seen: str | None) -> Callable[[Tx], None]:
    return lambda tx: None if seen is None else compare_destination(tx, name, seen)
