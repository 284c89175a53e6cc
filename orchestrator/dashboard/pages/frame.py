"""The frame of every page of ours: what it reads, how an error looks, what may be loaded."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from tornado.web import HTTPError

from orchestrator.dashboard import words
from orchestrator.dashboard.access.guarded import Guarded
from orchestrator.dashboard.access.visitor import visitor_of
from orchestrator.dashboard.filters import PageFilters
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.blockers import told_blocker, told_calls, told_hold
from orchestrator.domain.errors import MeshlineError, NotFound, Refused
from orchestrator.domain.workflows.runbook import runbook_address
from orchestrator.operations.access.allow import offered, scope_of
from orchestrator.operations.check_personal import check_words
from orchestrator.operations.note_seen import note_seen
from orchestrator.presenting.audit_lines import details
from orchestrator.presenting.event_line import draw_line
from orchestrator.presenting.lines import told_followers, told_wait, told_waiting
from orchestrator.presenting.moments import moment
from orchestrator.presenting.payload_rows import lay_beside
from orchestrator.presenting.personal.gate import NO_CLIENT, shown
from orchestrator.presenting.recipes import told_of_step
from orchestrator.presenting.switches import told_pause, told_resume
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.quarantine.dead_letters import OldestLetter
from orchestrator.store.views.quarantine.selection import Selection

Seen = TypeVar("Seen")
Found = TypeVar("Found")

Look = Callable[[Tx, frozenset[str] | None], Found]
"""What a page asks the store, for rows of these clients; None: of every client."""

_ONLY_FROM_HERE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


class StorePage(Guarded):
    """A page of Flower's kind that is made of what the store says."""

    tab = "events"  # whose page it is, by the name in the navigation
    by_link = False  # whether who sees it followed a signed link, and has no login

    def initialize(self, reader: StoreReader) -> None:
        """Take what the route was given."""
        self._reader = reader

    def set_default_headers(self) -> None:
        """Keep what the pages show out of frames and other sites' scripts."""
        super().set_default_headers()
        self.set_header("Content-Security-Policy", _ONLY_FROM_HERE)
        self.set_header("Referrer-Policy", "same-origin")

    @property
    def actor(self) -> Actor:
        """Who asks, as an operation is given it; only on pages behind the login."""
        found = visitor_of(self.request)
        if found is None:
            raise HTTPError(403, "nobody has logged in")
        return found.actor

    def scope(self, tx: Tx) -> frozenset[str] | None:
        """The clients whose rows the page may show to whoever asks; None: every client."""
        return scope_of(tx, self.actor).names

    def offered(self, tx: Tx, *clients: str) -> frozenset[Act]:
        """The acts whose forms the page shows for what is these clients'; none: for anybody's."""
        return frozenset() if self.by_link else offered(tx, self.actor, clients)

    async def head(self, *named: str) -> None:
        """Answer HEAD as GET; the body stays here."""
        await self.get(*named)

    async def show(
        self, template: str, look: Look[dict[str, object]], *, what: str = "event"
    ) -> None:
        """Read the store and render; an error becomes a page too."""
        found = await self.found(look, what=what)
        if found is not None:
            self.page(template, **found)

    async def found(self, look: Look[Found], *, what: str = "event") -> Found | None:
        """What `look` finds; None where that failed, which has been answered with a page."""
        try:
            return await self._reader.read(lambda tx: self.veil(tx, look(tx, self.scope(tx))))
        except NotFound as error:
            self.tell(404, f"There is no such {what}", error)
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
        except MeshlineError as error:
            self.away(error)
        return None

    def veil(self, tx: Tx, value: Seen) -> Seen:
        """What this reader is shown of what was found; that they saw the rest is audited."""
        found = shown(tx, value, sees=self.clients_seen(tx))
        if found.seen:
            who = self.actor
            self._reader.note(lambda store: note_seen(store, found.seen, actor=who.name))
        return found.value

    def clients_seen(self, tx: Tx) -> Container[str]:
        """The clients whose personal values this reader may see."""
        return NO_CLIENT if self.by_link else scope_of(tx, self.actor, Act.SEE_PERSONAL_DATA)

    def check_words(
        self,
        tx: Tx,
        words: Sequence[str],
        *,
        client: str | None,
        workflow: str | None,
        incident: int | None = None,
    ) -> None:
        """Raises Refused for words among personal values that this reader may not see."""
        about = Selection(
            client=client, workflow=workflow, incident=incident, clients=self.scope(tx)
        )
        check_words(tx, words, sees=self.clients_seen(tx), about=about)

    def write_error(self, status_code: int, **more: Any) -> None:
        """Say what is wrong on a page of ours; Flower's own says it with its navigation."""
        error = more["exc_info"][1] if "exc_info" in more else None
        if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            title, detail = "That went wrong here", "The log says why."
        else:
            title = HTTPStatus(status_code).phrase
            detail = (isinstance(error, HTTPError) and error.log_message) or ""
        self.set_status(status_code)
        self.page("problem.html", title=title, detail=detail)

    def away(self, error: MeshlineError) -> None:
        """Answer that the store does not."""
        self.set_header("Retry-After", "5")
        self.tell(503, "The store cannot be read", error)

    def tell(self, status: int, title: str, error: MeshlineError) -> None:
        """Answer with a page that says what is wrong."""
        self.set_status(status)
        self.page("problem.html", title=title, detail=str(error))

    def page(self, template: str, **values: Any) -> None:
        """Render one of our templates, with the words that all of them use."""
        values.setdefault("offered", frozenset())
        self.render(
            template,
            moment=moment,
            when=words.when,
            timed=words.timed,
            distance=words.distance,
            told=details,
            draw_line=draw_line,
            lay_beside=lay_beside,
            told_command=words.told_command,
            told_step=words.told_step,
            told_of_step=told_of_step,
            or_nothing=words.or_nothing,
            told_blocker=told_blocker,
            told_calls=told_calls,
            is_letter=lambda one: isinstance(one, OldestLetter),
            runbook_address=runbook_address,
            record_address=lambda url: url and runbook_address(url),
            told_hold=told_hold,
            told_pause=told_pause,
            told_resume=told_resume,
            told_wait=told_wait,
            told_waiting=told_waiting,
            told_followers=told_followers,
            at_held=lambda name: PageFilters(held=name).at(),
            of_workflow=lambda client, name: PageFilters(client=client, workflow=name).at(),
            by_link=self.by_link,
            active_tab=self.tab,
            **values,
        )
