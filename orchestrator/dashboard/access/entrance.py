"""Who comes in, and as whom: by a session or a trusted proxy.

While there are no people it is the login of the settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

from orchestrator.dashboard.access.company_login import CompanyLogin, company_login_of
from orchestrator.dashboard.access.origins import origin_of
from orchestrator.dashboard.access.session_cookie import SessionCookie
from orchestrator.dashboard.access.trusted_proxy import TrustedProxy, proxy_of
from orchestrator.dashboard.access.visitor import Stranger, Visitor
from orchestrator.dashboard.login import FormLogins, PageLogin, login_of
from orchestrator.dashboard.reader import Lane, StoreReader
from orchestrator.domain.access.actor import Actor, login
from orchestrator.domain.errors import KeyRefused, LoginRefused
from orchestrator.operations.access.allow import scope_of
from orchestrator.operations.access.come_by_proxy import come_by_proxy
from orchestrator.operations.access.keys import check_key
from orchestrator.operations.access.log_in import resume_session
from orchestrator.settings import Settings
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.database.engine import Store

BY_ITSELF = "X-Meshline-By-Itself"
"""The header of what an open page asks without its reader: else no session would be idle."""

_BY_KEY = "/metrics"  # what a scraper reads has no browser to log in with


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """The ways in."""

    reader: StoreReader
    login: PageLogin
    form_logins: FormLogins  # of this login, by the form
    cookie: SessionCookie
    proxy: TrustedProxy
    origin: str  # by which people reach the pages
    company: CompanyLogin | None  # the company's identity provider, where one is set

    async def who(self, request: HTTPServerRequest) -> Visitor | Stranger:
        """Who sends a request. Raises StoreUnavailable, SchemaMismatch."""
        return await self.reader.run(lambda store: self._look(store, request), lane=Lane.GATE)

    def address(self, request: HTTPServerRequest) -> str | None:
        """Where a login comes from; None where nobody knows."""
        return self.proxy.address(request, is_needed=self.cookie.secure)

    def _look(self, store: Store, request: HTTPServerRequest) -> Visitor | Stranger:
        if mail := self.proxy.named(request.headers):
            return _proxied(store, mail)
        why, token = "", self.cookie.token(request)
        by_form = token is not None and self.form_logins.knows(token)
        if token and not by_form:
            try:
                is_used = BY_ITSELF not in request.headers
                found = resume_session(store, token, is_used=is_used)
            except LoginRefused:
                why = "Your session has ended. Log in again."
            else:
                return _visitor(store, found.actor, found.name, token=token)
        authorization = request.headers.get("Authorization", "")
        if request.path == _BY_KEY and (holder := _holder(store, authorization)):
            return holder
        with store.read() as tx:
            if anybody_is_there(tx):
                return Stranger(why=why or _told(authorization, by_form=by_form))
        if by_form or self.login.admits(authorization):
            user = self.login.user
            held = token if by_form else None
            return Visitor(actor=login(f"page:{user}"), name=user, clients=None, token=held)
        return Stranger(nobody_yet=True)


def entrance_of(settings: Settings, reader: StoreReader) -> Entrance:
    """The ways in that the settings name. Raises StartupFailed."""
    return Entrance(
        reader=reader,
        login=login_of(settings),
        form_logins=FormLogins(),
        cookie=SessionCookie(secure=settings.pages_url.lower().startswith("https:")),
        proxy=proxy_of(settings),
        origin=origin_of(settings.pages_url),
        company=company_login_of(settings),
    )


def _proxied(store: Store, mail: str) -> Visitor | Stranger:
    try:
        found = come_by_proxy(store, mail)
    except LoginRefused as error:
        return Stranger(why=f"{error.detail[0].upper()}{error.detail[1:]}.")
    return _visitor(store, found.actor, found.name)


def _visitor(store: Store, actor: Actor, name: str, *, token: str | None = None) -> Visitor:
    with store.read() as tx:
        clients = scope_of(tx, actor).names
    return Visitor(actor=actor, name=name, clients=clients, token=token)


def _holder(store: Store, authorization: str) -> Visitor | None:
    """Who holds a key that may look, as `Authorization: Bearer KEY` gives it."""
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        caller = check_key(store, key.strip())
    except KeyRefused:
        return None
    found = _visitor(store, caller.as_actor(), caller.actor)
    return None if found.sees_nothing else found


def _told(authorization: str, *, by_form: bool) -> str:
    if by_form or authorization.lower().startswith("basic "):
        return (
            "There are people now, so MESHLINE_FLOWER_USER and its password let nobody in any"
            " more. Log in with your mail address."
        )
    return ""
