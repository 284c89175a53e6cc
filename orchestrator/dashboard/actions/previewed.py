"""The frame of an act in two steps: a page with what it would do, and then the act itself.

Both are POSTs to one address. The first comes from a form that only chooses, and its answer has a
form that says yes. The use case says what it would do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.dashboard.access.local_paths import login_with
from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.acts import ACTS
from orchestrator.domain.errors import LoginRefused, MeshlineError
from orchestrator.store.database.engine import Store

SURE = "sure"
"""The field of the form that says yes."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What a page of confirmation says, and what it sends."""

    title: str
    says: Sequence[str]  # what is sent, repeated or lost, in sentences
    button: str  # what it does, in the words of whoever presses it
    fields: Mapping[str, str] = field(default_factory=dict)  # hidden, sent with the yes
    chosen: Sequence[str] = ()  # ids of the events, where they were chosen one by one
    takes_why: bool = True
    needs_why: bool = False  # also where the table of acts does not ask for one


class PreviewedAct(ActPage):
    """An act that is first shown, and then confirmed."""

    @property
    def is_sure(self) -> bool:
        """Whether this is the second step."""
        return self.given(SURE) is not None

    async def confirm(self, preview: Callable[[Store], Confirmation], *, back: str) -> None:
        """Answer the first step with what the act would do."""
        try:
            asked = await self._reader.run(preview, lane=Lane.ACT)
        except LoginRefused:
            self.redirect(login_with(back), status=303)
        except MeshlineError as error:
            self.refuse(error, back=back)
        else:
            needs_why = ACTS[self.act].needs_reason or asked.needs_why
            self.page(
                "confirm.html",
                asked=asked,
                needs_why=needs_why,
                back=back,
                action=self.request.path,
            )
