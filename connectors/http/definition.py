"""What a YAML definition of a system over HTTP may say."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from connectors.definition.origins import FromAnswer
from connectors.definition.shared_keys import AnyAction, Definition, Strict
from connectors.definition.values import (
    LagTime,
    Place,
    Places,
    Secret,
    SecretName,
    Slug,
    Statuses,
    Text,
    Texts,
    UrlPath,
    listed,
    word_of,
    words_of,
)


class Means(StrEnum):
    """What an answer may mean."""

    REFUSED = "refused"  # it will never be taken
    UNAVAILABLE = "unavailable"  # nothing was stored; come again
    RATE_LIMITED = "rate_limited"  # the same, and slower
    UNAUTHORIZED = "unauthorized"  # it is our credentials
    UNKNOWN = "unknown"  # it may have been stored
    CONFLICT = "conflict"  # it is there already
    CHANGED = "changed"  # somebody changed the record since it was looked at
    ABSENT = "absent"  # there is no such record


class RequestKind(StrEnum):
    """Which of an action's requests was answered."""

    WRITE = "write"
    LOOKUP = "lookup"
    READ = "read"
    UNDO = "undo"
    STEP = "step"


class Wait(Strict):
    """Where an answer says how long to wait."""

    at: Place
    unit: Literal["s", "ms"] = "s"


class Compared(Strict):
    """What an answer has in one place: one of some values, or else anything that is not empty."""

    value: Any = Field(None, alias="is")

    @property
    def wanted(self) -> list[object] | None:
        """The values that `is` names; None where it is not written."""
        if "value" not in self.model_fields_set:
            return None
        return self.value if isinstance(self.value, list) else [self.value]


class Sign(Compared):
    """What tells one kind of answer from the others."""

    status: Statuses | None = None
    at: Place | None = None
    header: Text | None = None
    text: Texts | None = None  # the whole body, without white space around it
    contains: Texts | None = None  # a part of the body, in upper or lower case


class ErrorRule(Sign):
    """What one kind of answer means."""

    means: Annotated[Means, word_of(Means)]
    on: Annotated[Any, *words_of(RequestKind)] = Field(
        default_factory=lambda: frozenset(RequestKind)
    )
    retry_after: Wait | None = None


class Conflict(Sign):
    """The answer that says that the record is there already."""

    record_id: FromAnswer = None


class Ask(Strict):
    """A request: where it goes."""

    path: UrlPath
    query: dict[Text, str] = Field(default_factory=dict)
    headers: dict[Text, str] = Field(default_factory=dict)
    # What its answer has to be for its work to be done; any 2xx, where nothing is said.
    good: Annotated[
        list[Sign], BeforeValidator(listed, json_schema_input_type=Sign | list[Sign])
    ] = Field(default_factory=list)


class Bodied(Ask):
    """A request that may carry JSON or a form."""

    body: Any = Field(None, alias="json")
    form: dict[Text, str] | None = None


class Write(Bodied):
    """The request that stores something."""

    method: Literal["post", "put", "patch"]
    # Where the answer has the record's id; a receipt needs none.
    record_id: FromAnswer = None


class Create(Write):
    """The request that makes the record."""

    method: Literal["post", "put", "patch"] = "post"


class Update(Write):
    """The request that changes the record that the look-up finds."""

    method: Literal["post", "put", "patch"] = "patch"


class Upsert(Write):
    """The request that makes the record, or changes the one that is there."""

    method: Literal["post", "put", "patch"] = "put"


class Search(Ask):
    """A request that changes nothing."""

    method: Literal["get", "post"] = "get"
    body: Any = Field(None, alias="json")


class NextPage(Strict):
    """Where the rest of a list is, said in one way."""

    at: Place | None = None  # where the answer has the mark of the next page …
    query: Text | None = None  # … and the query parameter that takes it
    url: Place | None = None  # where the answer has the next page's address
    link: Text | None = None  # the relation of a header Link: next
    page: Text | None = None  # the query parameter that counts pages
    offset: Text | None = None  # the query parameter that counts records
    first: int | None = Field(None, ge=0, le=1)  # what they count from: pages 1, records 0


class More(Compared):
    """Where an answer says whether its list goes on."""

    at: Place


def _more(said: object) -> object:
    return {"at": said} if isinstance(said, str) else said


class Lookup(Search):
    """The request that finds a record by its key."""

    items: Place | None = None  # where the answer has the list of records; empty: not there
    absent_status: Literal[404, 410] | None = None  # or the status that says: not there
    record_id: Place  # where an item (without `items`, the answer) has the record's id
    where: dict[Place, str] = Field(default_factory=dict)  # what an item must read, by place
    # How it is known that the list is whole, without which nothing is proven by absence.
    whole: bool = False  # the tool itself looks for the key, and its answer leaves out nothing
    next: NextPage | None = None
    more: Annotated[More, BeforeValidator(_more, json_schema_input_type=str | More)] | None = None
    total: Place | None = None  # where the answer has how many there are
    pages: int = Field(20, ge=1, le=100)  # that are read at most
    version: FromAnswer = None  # where it has the record's state; in an item, a path


class Read(Search):
    """The request that reads a record back."""

    # Where each field is; one text says where an object with all of them is.
    fields: Places
    where: dict[Place, str] = Field(default_factory=dict)  # what our record reads, by place
    within_seconds: LagTime = Field(0.0, alias="within")
    version: FromAnswer = None  # where the answer has the record's state, such as its ETag


class Done(Lookup):
    """The look-up that tells whether a step is done."""

    record_id: Place = ""  # nobody needs it
    fields: Places = None  # by field's name, where what it finds has it


class Step(Bodied):
    """A request that follows the one that makes the record."""

    name: Slug
    method: Literal["post", "put", "patch"] = "post"
    repeatable: bool = False  # the same again changes nothing, as with a key; a put always is
    done: Done | None = None


class Undo(Bodied):
    """The request that takes a record back."""

    method: Literal["delete", "post", "put", "patch"] = "delete"


class Batch(Bodied):
    """The request that carries several writes at once."""

    method: Literal["post", "put", "patch"] = "post"
    most: int = Field(ge=2, le=1_000)  # of them in one request
    item: Any  # one of them; `{items}` in `json` is the list
    results: Place | None = None  # where the answer has a list with what became of each
    where: dict[Place, str] = Field(default_factory=dict)  # what its own result must read, by place
    record_id: Place | None = None  # where a result has the record's id


class HttpAction(AnyAction):
    """One action over HTTP."""

    create: Create | None = None
    update: Update | None = None
    upsert: Upsert | None = None
    then: tuple[Step, ...] = Field((), max_length=10)
    lookup: Lookup | None = None
    conflict: Conflict | None = None
    read: Read | None = None
    undo: Undo | None = None
    batch: Batch | None = None
    url: FromAnswer = None  # where people find the record
    errors: tuple[ErrorRule, ...] = ()

    def writes(self) -> list[tuple[str, Write]]:
        """The requests that store something, by their names.

        A right action has one, or both `create` and `update`: what the look-up finds is changed.
        """
        said = {"create": self.create, "update": self.update, "upsert": self.upsert}
        return [(name, write) for name, write in said.items() if write is not None]

    def requests(self) -> Iterator[tuple[str, Ask]]:
        """All requests by their places in the definition, in the order they may go out."""
        yield from self.writes()
        for name, said in (("batch", self.batch), ("lookup", self.lookup), ("read", self.read)):
            if said is not None:
                yield name, said
        for number, step in enumerate(self.then):
            yield f"then.{number}", step
            if step.done is not None:
                yield f"then.{number}.done", step.done
        if self.undo is not None:
            yield "undo", self.undo

    @property
    def either(self) -> bool:
        """Whether what the look-up finds is changed, and what it does not find is made."""
        return self.create is not None and self.update is not None


class Basic(Strict):
    """HTTP basic authentication."""

    user: Secret
    password: Secret | None = None


class HeaderAuth(Strict):
    """A key in a header of the vendor's own."""

    name: Text
    value: Secret
    prefix: str = ""


class OAuth2(Strict):
    """A token that is fetched, kept, and fetched anew."""

    grant: Literal["client_credentials", "refresh_token"]
    token_url: Text
    client_id: Secret
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scope: Text | None = None
    send_as: Literal["basic", "body"] = "body"


class Hmac(Strict):
    """A signature of the body in a header."""

    header: Text
    secret: Secret
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    prefix: str = ""


class Auth(Strict):
    """At most one way to prove who we are."""

    bearer: Secret | None = None
    basic: Basic | None = None
    header: HeaderAuth | None = None
    oauth2: OAuth2 | None = None
    standard_webhooks: Secret | None = None
    hmac: Hmac | None = None


class HttpDefinition(Definition):
    """A system that is reached over HTTP."""

    kind: Literal["http"]
    base_url: Text
    private_network: bool = False
    auth: Auth = Field(default_factory=Auth)
    secrets: dict[SecretName, Secret] = Field(default_factory=dict)
    headers: dict[Text, str] = Field(default_factory=dict)
    errors: tuple[ErrorRule, ...] = ()
    max_answer_bytes: int = Field(1_048_576, ge=1_024, le=67_108_864)
    actions: dict[Slug, HttpAction] = Field(min_length=1)
