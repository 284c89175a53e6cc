"""The login: a form, which makes a session."""

from __future__ import annotations

from orchestrator.dashboard.access.local_paths import local_path
from orchestrator.dashboard.access.open_pages import OpenPage
from orchestrator.dashboard.access.visitor import stranger_of, visitor_of
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.errors import LoginRefused, MeshlineError
from orchestrator.operations.access.log_in import log_in, log_in_by_settings
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.database.engine import Store


class LoginPage(OpenPage):
    """A mail address and a password; while there are no people, the login of the settings."""

    async def get(self) -> None:
        """Answer GET /login."""
        back = local_path(self.get_query_argument("next", ""))
        if visitor_of(self.request):
            self.redirect(back, status=303)
            return
        stranger = stranger_of(self.request)
        note = stranger.why if stranger else ""
        if self.get_query_argument("password", "") == "set":
            note = "Your password is set. Log in with it."
        self._form(back, note=note)

    async def post(self) -> None:
        """Answer POST /login."""
        back, mail, password = (
            local_path(self.text("next")),
            self.text("mail"),
            self.text("password"),
        )
        entrance = self.application.entrance
        address, before = entrance.address(self.request), entrance.cookie.token(self.request)

        def begin(store: Store) -> str:
            with store.read() as tx:
                is_open = not anybody_is_there(tx)
            if is_open:
                right, actor = entrance.login.fits(mail, password), f"page:{entrance.login.user}"
                log_in_by_settings(store, mail, is_right=right, address=address, actor=actor)
                return str(entrance.form_logins.begin())
            found = log_in(store, mail, password, way="page", address=address, instead_of=before)
            return found.token

        try:
            token = await self._reader.run(begin, lane=Lane.LOGIN)
        except LoginRefused as error:
            self.set_status(403)
            self._form(back, mail=mail, wrong=str(error))
        except MeshlineError as error:
            self.away(error)
        else:
            entrance.cookie.give(self, token)
            self.redirect(back, status=303)

    def _form(self, back: str, *, mail: str = "", wrong: str = "", note: str = "") -> None:
        stranger = stranger_of(self.request)
        nobody_yet = stranger is not None and stranger.nobody_yet
        company = self.application.entrance.company
        self.page(
            "login.html",
            back=back,
            mail=mail,
            wrong=wrong,
            note=note,
            nobody_yet=nobody_yet,
            company=company.name if company else "",
        )
