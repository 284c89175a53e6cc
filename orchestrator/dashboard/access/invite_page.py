"""An invitation: whoever holds its link sets a password, once; the first one makes an admin."""

from __future__ import annotations

import logging
from typing import Any

from tornado.web import HTTPError

from orchestrator.dashboard.access.open_pages import OpenPage
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.errors import LoginRefused, MeshlineError, Refused
from orchestrator.operations.access.log_in import log_out
from orchestrator.operations.access.passwords import SHORTEST
from orchestrator.operations.access.people import accept_invite, whose_invite
from orchestrator.store.database.engine import Store

log = logging.getLogger(__name__)


class InvitePage(OpenPage):
    """The form of one invitation."""

    async def get(self, token: str) -> None:
        """Answer GET /invite/TOKEN; looking does not use it."""
        await self._form(token)

    async def post(self, token: str) -> None:
        """Answer POST /invite/TOKEN."""
        cookie = self.application.entrance.cookie
        mail, name, password = self.text("mail"), self.text("name"), self.text("password")
        if password != self.text("again"):
            await self._form(token, wrong="the two passwords differ; write the same one twice")
            return
        session = cookie.token(self.request)

        def accept(store: Store) -> None:
            accept_invite(store, token, password=password, mail=mail, name=name)
            if session is not None:  # of whoever sat here before
                log_out(store, session)

        try:
            await self._reader.run(accept, lane=Lane.LOGIN)
        except LoginRefused as error:
            self.tell(404, "This invitation cannot be used", error)
        except Refused as error:
            await self._form(token, wrong=str(error))
        except MeshlineError as error:
            self.away(error)
        else:
            cookie.take_back(self)
            self.redirect("/login?password=set", status=303)

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log what failed, and not where: the address of an invitation is a secret."""
        if not isinstance(error, HTTPError):
            log.error("the page of an invitation failed", exc_info=(kind, error, trace))

    async def _form(self, token: str, *, wrong: str = "") -> None:
        try:
            mail = await self._reader.run(lambda store: whose_invite(store, token), lane=Lane.GATE)
        except LoginRefused as error:
            self.tell(404, "This invitation cannot be used", error)
            return
        except MeshlineError as error:
            self.away(error)
            return
        if wrong:
            self.set_status(400)
        self.page(
            "invite.html",
            mail=mail,
            wrong=wrong,
            shortest=SHORTEST,
            given={one: self.text(one) for one in ("mail", "name")},
        )
