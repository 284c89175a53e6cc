"""The sign-out: of this browser, or of every one."""

from __future__ import annotations

from tornado.web import authenticated

from orchestrator.dashboard.access.visitor import visitor_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.errors import MeshlineError
from orchestrator.operations.access.log_in import log_out


class SignOutPage(StorePage):
    """Ends sessions."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /logout: the choice."""
        self.page("sign_out.html", visitor=visitor_of(self.request))

    @authenticated
    async def post(self) -> None:
        """Answer POST /logout."""
        cookie, form_logins = (
            self.application.entrance.cookie,
            self.application.entrance.form_logins,
        )
        token = cookie.token(self.request)
        everywhere = self.get_body_argument("everywhere", "") == "yes"
        if token is not None and not form_logins.end(token):
            try:
                await self._reader.run(
                    lambda store: log_out(store, token, everywhere=everywhere), lane=Lane.ACT
                )
            except MeshlineError as error:
                self.away(error)
                return
        cookie.take_back(self)
        self.redirect("/login", status=303)
