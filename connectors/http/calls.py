"""One request of an HTTP connector: who we are, what goes out, and what the answer means."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.definition.references import UnresolvedReference
from connectors.http.answers import CHANGED, error_by, error_of
from connectors.http.definition import HttpDefinition, Means, RequestKind
from connectors.http.endpoint import Site, resolve_site
from connectors.http.oauth.tokens import Tokens
from connectors.http.paging.whole_lists import Onward, Unproven
from connectors.http.placeholders.values import Unfillable, Values
from connectors.http.plan import ActionPlan
from connectors.http.requests import RequestTemplate
from connectors.http.wire.exchange import Answer, Client, NoAnswer, NotSent, Request
from orchestrator.domain.delivery.tokens import TokenKeeper
from orchestrator.domain.errors import (
    ChangedMeanwhile,
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    Unauthorized,
)

_STATE_DIFFERS = 412  # of a request with If-Match


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, and what it means."""

    answer: Answer
    error: ConnectorError | None
    absent: bool  # there is no such record
    asked: str  # the address


class Calls:
    """What all requests of one connector share: its site, its token, and its client."""

    def __init__(
        self,
        definition: HttpDefinition,
        *,
        folder: Path | None,
        client: Callable[[], Client],  # called by the first request
        tokens: Callable[[], TokenKeeper] | None,  # called by the first login that is shared
    ) -> None:
        self._definition = definition
        self._folder = folder
        self._client_of_process = client
        self._client: Client | None = None
        self._site: Site | None = None
        self._tokens = Tokens(tokens)
        self._masks: frozenset[str] = frozenset()

    @property
    def masks(self) -> frozenset[str]:
        """What nobody may be shown of requests and answers: known after the first request."""
        return self._masks | self._tokens.masks

    async def close(self) -> None:
        """Give connections back."""
        if self._client is not None:
            await self._client.close()

    async def ask(
        self,
        plan: ActionPlan,
        template: RequestTemplate,
        values: Values,  # without secrets
        onward: Onward | None = None,
    ) -> Reply:
        """Ask, and once more where a kept token was refused: that stored nothing.

        `onward` is the page of a list that is asked for; else its first.
        """
        reply, token = await self._ask_once(plan, template, values, onward)
        if not isinstance(reply.error, Unauthorized):
            return reply
        self._site = None  # the secret may have been changed; the next call reads it anew
        if not token:
            return reply
        self._tokens.drop(token)
        again, _ = await self._ask_once(plan, template, values, onward)
        return again

    async def _ask_once(
        self,
        plan: ActionPlan,
        template: RequestTemplate,
        values: Values,
        onward: Onward | None,
    ) -> tuple[Reply, str]:
        """The reply, and the token that was shown, if any."""
        try:
            site = self._resolved()
            if self._client is None:
                self._client = self._client_of_process()
            token = await self._token(site, self._client)
            values = replace(values, secrets=site.named)
            request = self._request(site, plan, template, values, token, onward)
            answer = await self._client.send(request)
        except Unfillable as error:
            raise DestinationRefused(f"{template.name}: {error}") from None
        except (UnresolvedReference, NotSent) as error:
            raise NotReached(f"{template.name}: {error}") from None
        except NoAnswer as error:
            text = f"{template.name}: {error}"
            raise (
                OutcomeUnknown(text) if template.creates else DestinationUnavailable(text)
            ) from None
        return self._judged(plan, template, answer, request.url), token

    async def _token(self, site: Site, client: Client) -> str:
        if site.login is None:
            return ""
        private = self._definition.private_network
        try:
            return await self._tokens.current(site.login, client.send, private_network=private)
        except Unauthorized:
            self._site = None
            raise

    def _request(
        self,
        site: Site,
        plan: ActionPlan,
        template: RequestTemplate,
        values: Values,
        token: str,
        onward: Onward | None,
    ) -> Request:
        body = template.body(values)
        headers = {**site.headers, **template.headers(values)}
        if values.trace and not any(name.lower() in values.trace for name in headers):
            headers |= values.trace
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if site.signer and (template.creates or template.stage is RequestKind.UNDO):
            headers |= site.signer(values.key, body or b"", int(time.time()))
        return Request(
            purpose=template.name,
            method=template.method,
            url=_address(site, template, values, onward),
            headers=headers,
            body=body,
            connect_seconds=plan.connect_seconds,
            max_answer_bytes=self._definition.max_answer_bytes,
            private_network=self._definition.private_network,
        )

    def _resolved(self) -> Site:
        if self._site is None:
            self._site = resolve_site(self._definition, self._folder)
            self._masks |= self._site.masks
        return self._site

    def _judged(
        self, plan: ActionPlan, template: RequestTemplate, answer: Answer, asked: str
    ) -> Reply:
        verdict = plan.rules.verdict(template.stage, answer)
        if verdict is not None:
            if template.guarded and verdict.means is Means.CONFLICT:  # of a record that is there
                verdict = replace(verdict, means=Means.CHANGED)
            error = error_by(
                verdict, template.name, answer, creating=template.creates, secrets=self.masks
            )
            absent = verdict.means is Means.ABSENT
            return Reply(answer=answer, error=error, absent=absent, asked=asked)
        if template.good.have(answer):
            return Reply(answer=answer, error=None, absent=False, asked=asked)
        absent = answer.status in template.absent_statuses
        error = error_of(template.name, answer, creating=template.creates, secrets=self.masks)
        if template.guarded and answer.status == _STATE_DIFFERS:
            error = ChangedMeanwhile(f"{error} ({CHANGED})")
        return Reply(answer=answer, error=error, absent=absent, asked=asked)


def _address(site: Site, template: RequestTemplate, values: Values, onward: Onward | None) -> str:
    """Where a request goes. Raises Unproven where the next page would be at another host."""
    if onward is None or not onward.address:
        return site.url(template.target(values, onward.query if onward else {}))
    url = site.beside(site.url(template.target(values)), onward.address)
    if url is None:
        raise Unproven("the next page would be at another host")
    return url
