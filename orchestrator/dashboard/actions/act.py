"""The frame of every act on a page: sent by POST, done off the loop, answered by a redirect."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, TypeVar

from orchestrator.dashboard.access.local_paths import login_with
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import (
    BrokerUnavailable,
    ChangedSinceSeen,
    Forbidden,
    IllegalMove,
    LoginRefused,
    MeshlineError,
    NotFound,
    Refused,
    WorkflowConflict,
)
from orchestrator.store.database.engine import Store

Done = TypeVar("Done")

_LONGEST = 2_000  # characters of one field

_ANSWERS: tuple[tuple[type[MeshlineError], HTTPStatus, str], ...] = (
    (Forbidden, HTTPStatus.FORBIDDEN, "You may not do that"),
    (NotFound, HTTPStatus.NOT_FOUND, "There is no such thing"),
    (ChangedSinceSeen, HTTPStatus.CONFLICT, "It changed since you looked"),
    (IllegalMove, HTTPStatus.CONFLICT, "That cannot be done now"),
    (WorkflowConflict, HTTPStatus.CONFLICT, "That cannot be done now"),
    (Refused, HTTPStatus.BAD_REQUEST, "That was not done"),
    (BrokerUnavailable, HTTPStatus.SERVICE_UNAVAILABLE, "That was not done"),
)
"""How an error is answered; the first that fits."""


class ActPage(StorePage):
    """An act: a POST from a page of ours, with its token. A GET finds nothing here."""

    act: ClassVar[Act]  # the row of the table of acts that its use case asks

    def given(self, name: str, *, longest: int = _LONGEST) -> str | None:
        """A field of the form; None where it is empty. Raises Refused for one that is too long."""
        text = str(self.get_body_argument(name, "", strip=False)).replace("\r\n", "\n")
        if len(text) > longest:
            raise Refused(
                f"it has over {longest:,} characters", field=name, fix="say it in fewer words"
            )
        return text or None

    def seen(self) -> str:
        """The digest of what the person looked at. Raises Refused where the form has none."""
        seen = self.given("seen")
        if seen is None:
            raise Refused("it was not looked at", field="digest", fix="use the form of its page")
        return seen

    def number(self, name: str) -> int | None:
        """A field that has a number; None where it is empty. Raises Refused for anything else."""
        text = self.given(name)
        if text is None:
            return None
        if not re.fullmatch("[0-9]{1,18}", text):
            raise Refused(f"{text!r} is not a number", field=name, fix="use the form of the page")
        return int(text)

    async def do(
        self,
        use_case: Callable[[Store], Done],
        *,
        back: str,
        to: Callable[[Done], str] | None = None,
    ) -> None:
        """Run a use case in a thread, and lead to where its result is shown: `to`, or `back`.

        A page says what went wrong, and leads `back`. A use case that has begun is finished, also
        where nobody waits for the answer.
        """
        try:
            done = await self._reader.run(use_case, lane=Lane.ACT)
        except LoginRefused:
            self.redirect(login_with(back), status=303)
        except MeshlineError as error:
            self.refuse(error, back=back)
        else:
            self.redirect(back if to is None else to(done), status=303)

    def refuse(self, error: MeshlineError, *, back: str) -> None:
        """Answer with the page of an error, its status, and the words that would be lost."""
        status, title = answer_to(error)
        self.set_status(status)
        wrote = str(self.get_body_argument("why", ""))[:_LONGEST]
        self.page("not_done.html", title=title, detail=str(error), back=back, wrote=wrote)


def answer_to(error: MeshlineError) -> tuple[HTTPStatus, str]:
    """The status and the title of the page that tells of an error."""
    for kind, status, title in _ANSWERS:
        if isinstance(error, kind):
            return status, title
    return HTTPStatus.SERVICE_UNAVAILABLE, "Nobody knows whether it was done"
