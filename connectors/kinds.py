"""The kinds of definitions: what each may say, and what it becomes. A new kind is one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from connectors.definition.shared_keys import (
    Breaker,
    Definition,
    FakeAction,
    FakeDefinition,
    MailLogin,
    RateLimit,
    SmtpDefinition,
)
from connectors.fake import FakeConnector
from connectors.http.checks import http_faults
from connectors.http.connector import HttpConnector
from connectors.http.definition import (
    Auth,
    Basic,
    Batch,
    Conflict,
    Create,
    Done,
    ErrorRule,
    HeaderAuth,
    Hmac,
    HttpAction,
    HttpDefinition,
    Lookup,
    More,
    NextPage,
    OAuth2,
    Read,
    Step,
    Undo,
    Update,
    Upsert,
    Wait,
)
from connectors.http.endpoint import resolve_site, shares_tokens
from connectors.http.paging.checks import unsaid_lists
from connectors.http.wire.exchange import Client
from connectors.mail.checks import smtp_faults
from connectors.mail.connector import MailConnector
from connectors.mail.server import resolve_server
from connectors.sql.checks import sql_faults
from connectors.sql.connector import SqlConnector, check_database
from connectors.sql.definition import SqlAction, SqlDefinition
from orchestrator.domain.delivery.handoff import Connector
from orchestrator.domain.delivery.tokens import TokenKeeper
from orchestrator.domain.documents.model_faults import Place
from orchestrator.domain.errors import Fault


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What a process lends its connectors; each is opened by the first call that needs it."""

    client: Callable[[], Client]
    tokens: Callable[[], TokenKeeper] | None = None  # None: a process that makes no calls


@dataclass(frozen=True, kw_only=True)
class DefinitionKind:
    """One kind of definition; each function is given a definition of its model."""

    model: type[Definition]
    make: Callable[[Any, Path, Ports], Connector]
    places: Mapping[Place, type[BaseModel]] = field(default_factory=dict)  # for near-misses
    faults: Callable[[Any], list[Fault]] = lambda _: []
    notes: Callable[[Any], list[str]] = lambda _: []  # what is right, and yet worth a word
    # Follows every reference. Raises UnresolvedReference.
    resolve: Callable[[Any, Path], object] = lambda *_: None
    shares_tokens: Callable[[Any], bool] = lambda _: False  # which are kept for all processes


def _http(definition: HttpDefinition, folder: Path, ports: Ports) -> Connector:
    return HttpConnector(definition, folder=folder, client=ports.client, tokens=ports.tokens)


def _mail(definition: SmtpDefinition, folder: Path, _: Ports) -> Connector:
    return MailConnector(definition, folder=folder)


def _sql(definition: SqlDefinition, folder: Path, _: Ports) -> Connector:
    return SqlConnector(definition, folder=folder)


def _fake(definition: FakeDefinition, _: Path, __: Ports) -> Connector:
    return FakeConnector(definition)


_SHARED: Mapping[Place, type[BaseModel]] = {("rate",): RateLimit, ("breaker",): Breaker}

KINDS: Mapping[str, DefinitionKind] = {
    "http": DefinitionKind(
        model=HttpDefinition,
        make=_http,
        faults=http_faults,
        notes=lambda definition: unsaid_lists(definition.actions),
        resolve=resolve_site,
        shares_tokens=shares_tokens,
        places={
            **_SHARED,
            ("auth",): Auth,
            ("auth", "basic"): Basic,
            ("auth", "header"): HeaderAuth,
            ("auth", "oauth2"): OAuth2,
            ("auth", "hmac"): Hmac,
            ("errors", "*"): ErrorRule,
            ("errors", "*", "retry_after"): Wait,
            ("actions", "*"): HttpAction,
            ("actions", "*", "create"): Create,
            ("actions", "*", "update"): Update,
            ("actions", "*", "upsert"): Upsert,
            ("actions", "*", "then", "*"): Step,
            ("actions", "*", "then", "*", "done"): Done,
            ("actions", "*", "lookup"): Lookup,
            ("actions", "*", "lookup", "next"): NextPage,
            ("actions", "*", "lookup", "more"): More,
            ("actions", "*", "conflict"): Conflict,
            ("actions", "*", "read"): Read,
            ("actions", "*", "undo"): Undo,
            ("actions", "*", "batch"): Batch,
            ("actions", "*", "errors", "*"): ErrorRule,
            ("actions", "*", "errors", "*", "retry_after"): Wait,
        },
    ),
    "smtp": DefinitionKind(
        model=SmtpDefinition,
        make=_mail,
        faults=smtp_faults,
        resolve=resolve_server,
        places={**_SHARED, ("login",): MailLogin},
    ),
    "sql": DefinitionKind(
        model=SqlDefinition,
        make=_sql,
        faults=sql_faults,
        resolve=check_database,
        places={**_SHARED, ("actions", "*"): SqlAction},
    ),
    "fake": DefinitionKind(
        model=FakeDefinition, make=_fake, places={**_SHARED, ("actions", "*"): FakeAction}
    ),
}
