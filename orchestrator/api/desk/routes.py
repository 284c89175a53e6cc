"""One address as data: the door's routes and /openapi.json are both made of these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel
from starlette.convertors import StringConvertor, register_url_convertor

from orchestrator.api.digests import digest_of
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.domain.text.words import sought_words
from orchestrator.operations.access.allow import needed_scope, scope_of
from orchestrator.operations.check_personal import check_words
from orchestrator.presenting.documents import to_json
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.quarantine.selection import Selection

M = TypeVar("M", bound=BaseModel)


class _Circuit(StringConvertor):
    """A connector, or client/workflow/destination: it is never taken for an act's address."""

    regex = "[^/]+(?:/[^/]+/[^/]+)?"


register_url_convertor("circuit", _Circuit())


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered to a request that was not refused."""

    document: object  # a value that has a form as JSON
    tag: str | None = None  # of what people decide by, for the ETag; None: of the whole document
    status: HTTPStatus = HTTPStatus.OK
    location: str | None = None  # where what was made can be seen


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that was read: who asks, and for what."""

    store: Store
    config: Settings
    actor: Actor
    path: Mapping[str, str]  # the values in the address
    query: BaseModel | None
    body: BaseModel | None
    seen: Sequence[str] = ()  # digests, one of which what is acted on has to have; none: any
    goes_on: Callable[..., None] = field(default=lambda *_: None)  # raises when time is up

    def query_as(self, model: type[M]) -> M:
        """The query, of the model that the route names."""
        return _of(model, self.query)

    def body_as(self, model: type[M]) -> M:
        """The body, of the model that the route names."""
        return _of(model, self.body)

    def clients(self, tx: Tx) -> frozenset[str] | None:
        """The clients that the actor may view; None: all."""
        return scope_of(tx, self.actor).names

    def some_clients(self, tx: Tx, act: Act = Act.VIEW) -> frozenset[str] | None:
        """The clients for which the actor may do it; None: all. Raises Forbidden without one."""
        return needed_scope(tx, self.actor, act).names

    def sees(self, tx: Tx) -> Container[str]:
        """The clients whose personal values the actor may see."""
        return scope_of(tx, self.actor, Act.SEE_PERSONAL_DATA)

    def words(self, tx: Tx, text: str | None, about: Selection) -> tuple[str, ...]:
        """The words of a search in these events, of which the actor sees those that it may.

        Raises Refused for words among values that are masked.
        """
        found = () if text is None else sought_words(text)
        seen = replace(about, clients=self.clients(tx))
        check_words(tx, found, sees=self.sees(tx), about=seen)
        return found

    def check_seen(self, tag: str, changed: Callable[[], str]) -> None:
        """Raises ChangedSinceSeen where it is not what the caller saw; `changed` says by whom."""
        if self.seen and tag not in self.seen:
            raise ChangedSinceSeen(
                f"it has changed since you looked: {changed()}",
                field="If-Match",
                fix="look at it again, and send the ETag of that answer",
            )


def tag_of(decided: object) -> str:
    """The tag of what people decide by."""
    return digest_of(to_json(decided))


def _of(model: type[M], given: BaseModel | None) -> M:
    if not isinstance(given, model):
        raise TypeError(f"the route does not name {model.__name__}")
    return given


Handler = Callable[[Asked], Answer]


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header that a request may have."""

    name: str
    says: str  # what it does, in a sentence
    schema: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one address."""

    method: str
    path: str  # with {names}; {name:circuit} may hold slashes, as a destination's does
    name: str  # of the operation, for clients that are generated
    act: Act | None  # None: it is open to everybody
    says: str  # what it does, in a sentence
    answers: object  # what the answer's document is: a type, or a schema
    or_act: Act | None = None  # whoever may do this may ask it too
    handler: Handler | None = None  # None: the door answers it by an endpoint of its own
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    status: HTTPStatus = HTTPStatus.OK  # of a good answer
    tagged: bool = False  # the answer has an ETag; an act compares If-Match with it
    refusals: Collection[HTTPStatus] = ()  # beside those that every route may answer
    content: Mapping[str, object] | None = None  # of bodies that an own endpoint reads, by type
    may_be_empty: bool = False  # such a body
    produces: str = "application/json"  # the type of a good answer
    also: HTTPStatus | None = None  # another status of the same answer
    headers: Sequence[Header] = ()
