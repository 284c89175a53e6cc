"""Flower, with our tabs in its navigation and a login before everything."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery
from celery.events import EventReceiver
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings as flower_settings
from flower.views import BaseHandler
from flower.views.error import NotFoundErrorHandler
from flower.views.monitor import Healthcheck
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.template import DictLoader
from tornado.web import RequestHandler, StaticFileHandler

from orchestrator.dashboard.access.entrance import Entrance
from orchestrator.dashboard.access.gate import Gate
from orchestrator.dashboard.access.guarded import Guarded, guarded
from orchestrator.dashboard.access.open_pages import AskForLogin, OpenPage, StoreIsAway, TurnedAway
from orchestrator.dashboard.access.shown_person import with_person
from orchestrator.dashboard.access.sign_out_page import SignOutPage
from orchestrator.dashboard.access.visitor import Stranger, Visitor, mark, visitor_of
from orchestrator.dashboard.flower_frame import with_ours, with_tabs
from orchestrator.dashboard.pages.changes.linked import LinkedChangePage
from orchestrator.dashboard.pages.linked_incident import LinkedIncidentPage
from orchestrator.dashboard.pages.navigation import tabs_in_order
from orchestrator.dashboard.pages.routes import routes
from orchestrator.dashboard.signed_links import Linked, opened_page
from orchestrator.dashboard.tasks import events_in, with_events
from orchestrator.dashboard.words import escaped
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.incidents.seen import digest_of_seen
from orchestrator.outages import FIRST_PAUSE_SECONDS, Outage

log = logging.getLogger(__name__)

# The health check says OK and nothing else, and what probes it, a container, has no login. Styles
# and scripts are everybody's: Flower's are public, and the page of the login needs ours.
_OPEN = (Healthcheck, StaticFileHandler)


class EventsFlower(Flower):  # type: ignore[misc] # Flower has no types
    """Flower as we run it. Flower's own buttons are off: what they do, no audit would tell."""

    def __init__(
        self, celery: Celery, *, entrance: Entrance, link_key: str, connectors: Path | None
    ) -> None:
        # A lock of Flower's own, of which nobody has the key: the gate lets people in, and Flower's
        # API answers only where there is a login.
        options.basic_auth = [f"nobody:{secrets.token_urlsafe(32)}"]
        options.read_only = True
        self.entrance = entrance
        self.connectors = connectors  # the folder of their definitions
        self._link_key = link_key
        loop = IOLoop()  # the current one from here on
        super().__init__(
            capp=celery,
            options=options,
            io_loop=loop,
            events=_PatientEvents(celery, loop, max_tasks_in_memory=options.max_tasks),
            template_loader=load_templates(),
            xsrf_cookie_kwargs={"samesite": "Lax", "secure": entrance.cookie.secure},
            **flower_settings,
        )
        self.add_handlers(r".*", routes(entrance.reader))

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        *arguments: Any,
        **named: Any,
    ) -> HTTPMessageDelegate:
        """Put every page behind the gate; Flower itself would ask for a login page by page."""
        answer_by: _Answer = partial(super().get_handler_delegate, request)
        if issubclass(target_class, _OPEN):
            return answer_by(target_class, *arguments, **named)

        async def admit() -> HTTPMessageDelegate:
            if other := await self._page_instead(request, target_class):
                return answer_by(*other)
            return answer_by(guarded(target_class), *arguments, **named)

        return Gate(admit)

    async def _page_instead(
        self, request: HTTPServerRequest, page: type[RequestHandler]
    ) -> _Page | None:
        """What is shown in place of a page to those who may not see it; None: they may."""
        given: dict[str, object] = {"reader": self.entrance.reader}
        try:
            who = await self.entrance.who(request)
        except Exception as error:
            known = isinstance(error, MeshlineError)
            if not known:
                log.exception("who sends a request was not found out")
            mark(request, Stranger(why=str(error) if known else "The log says why"))
            return StoreIsAway, given, []
        mark(request, who)
        if issubclass(page, OpenPage):
            return None
        if isinstance(who, Visitor):
            return None if _is_for(who, page) else (TurnedAway, given, [])
        if opened := opened_page(request.method, request.uri, self._link_key):
            return _LINKED[opened.what], given, [opened.name.encode()]
        return AskForLogin, given, []

    def log_request(self, handler: RequestHandler) -> None:
        """Log what fails, except invitations: their address is a secret until it is used."""
        if not handler.request.path.startswith("/invite/"):
            super().log_request(handler)


def _is_for(who: Visitor, page: type[RequestHandler]) -> bool:
    """Whether somebody has the roles for a page, as far as that does not hang on what it shows.

    Whose a task is nobody knows, so Flower's own pages are for those who see every client.
    """
    if issubclass(page, SignOutPage):
        return True
    ours = (Guarded, NotFoundErrorHandler)
    is_flowers = issubclass(page, BaseHandler) and not issubclass(page, ours)
    return who.sees_everything if is_flowers else not who.sees_nothing


_LINKED: dict[Linked, type[RequestHandler]] = {
    Linked.INCIDENT: LinkedIncidentPage,
    Linked.CHANGE: LinkedChangePage,
}
_Page = tuple[type[RequestHandler], dict[str, object], list[bytes]]
_Answer = Callable[..., HTTPMessageDelegate]


class _PatientEvents(Events):  # type: ignore[misc] # Flower has no types
    """Flower's ear at the broker; its own waits twice as long after every failure, without end."""

    def run(self) -> None:
        """Listen for as long as the process lives."""
        outage = Outage(log, "the broker does not tell of tasks")
        while True:
            pause = FIRST_PAUSE_SECONDS
            try:
                with self.capp.connection() as connection:
                    EventReceiver(
                        connection, handlers={"*": self.on_event}, app=self.capp
                    ).capture()
            except Exception as error:  # noqa: BLE001 - the broker's libraries raise many kinds
                pause = outage.pause_after(error)
            time.sleep(pause)


def load_templates() -> DictLoader:
    """Flower's templates and ours, with our tabs, style and script in Flower's frame."""
    texts: dict[str, str] = {}
    for folder in (Path(flower_settings["template_path"]), Path(__file__).parent / "templates"):
        texts |= {one.name: one.read_text("utf-8") for one in folder.glob("*.html")}
    texts["base.html"] = with_ours(texts["base.html"])
    texts["navbar.html"] = with_person(with_tabs(texts["navbar.html"]))
    texts["task.html"] = with_events(texts["task.html"])
    # What every {{ … }} goes through, on Flower's pages too: tasks hold what strangers sent.
    ours = {"escaped": escaped, "events_in": events_in, "our_tabs": tabs_in_order}
    ours |= {"visitor_of": visitor_of, "digest_of_seen": digest_of_seen}
    return DictLoader(texts, autoescape="escaped", namespace=ours)
