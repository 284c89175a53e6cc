"""The two addresses of the company's login: the way there, and the way back."""

from __future__ import annotations

from tornado.web import HTTPError

from orchestrator.dashboard.access.company_login import CompanyLogin
from orchestrator.dashboard.access.open_pages import OpenPage
from orchestrator.dashboard.access.provider import ProviderAway
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.errors import LoginRefused, MeshlineError
from orchestrator.operations.access.log_in import LoggedIn
from orchestrator.operations.access.log_in_by_company import log_in_by_company
from orchestrator.store.database.engine import Store

_SECONDS = 600  # in which a login has to come back


class _CompanyPage(OpenPage):
    """What both have."""

    @property
    def company(self) -> CompanyLogin:
        """The login that the settings name; without one there is no such page."""
        found: CompanyLogin | None = self.application.entrance.company
        if found is None:
            raise HTTPError(404)
        return found

    @property
    def is_secure(self) -> bool:
        """Whether people reach the pages over https."""
        return bool(self.application.entrance.cookie.secure)

    @property
    def kept(self) -> str:
        """The name of the cookie. With `__Host-`, which asks for https, no other host sets it."""
        return "__Host-meshline-company" if self.is_secure else "meshline-company"

    def refuse(self, error: LoginRefused) -> None:
        """Say why, on a page."""
        status = 503 if isinstance(error, ProviderAway) else 403
        self.tell(status, "You are not logged in", error)


class CompanyLoginPage(_CompanyPage):
    """The way to the provider."""

    async def get(self) -> None:
        """Answer GET /login/company."""
        try:
            there, kept = await self.company.begin(self.get_query_argument("next", ""))
        except LoginRefused as error:
            self.refuse(error)
            return
        self.set_cookie(
            self.kept,
            kept,
            path="/",
            max_age=_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self.is_secure,
        )
        self.redirect(there, status=303)


class CompanyBackPage(_CompanyPage):
    """The way back."""

    async def get(self) -> None:
        """Answer GET /login/company/back; what the browser kept counts once."""
        company, entrance = self.company, self.application.entrance
        cookie, before = self.request.cookies.get(self.kept), entrance.cookie.token(self.request)
        self.clear_cookie(self.kept, path="/", httponly=True, samesite="Lax", secure=self.is_secure)
        if self.get_query_argument("error", ""):
            self.refuse(LoginRefused("the provider did not let you in", fix="log in again"))
            return
        try:
            identity, back = await company.end(
                cookie.value if cookie else "",
                state=self.get_query_argument("state", ""),
                code=self.get_query_argument("code", ""),
            )

            def begin(store: Store) -> LoggedIn:
                return log_in_by_company(
                    store,
                    issuer=company.provider.issuer,
                    subject=identity.subject,
                    mail=identity.mail,
                    instead_of=before,
                )

            found = await self._reader.run(begin, lane=Lane.LOGIN)
        except LoginRefused as error:
            self.refuse(error)
        except MeshlineError as error:
            self.away(error)
        else:
            entrance.cookie.give(self, found.token)
            self.redirect(back, status=303)
