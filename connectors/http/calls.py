"""One request of an HTTP connector: who we are, what goes out, and what the answer means."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.definition.references import UnresolvedReference
from connectors.http.answers import error_by, error_of
from connectors.http.definition import HttpDefinition, Means, RequestKind
from connectors.http.endpoint import Site, resolve_site
from connectors.http.exchange import Answer, Client, NoAnswer, NotSent, Request
from connectors.http.oauth import Tokens
from connectors.http.plan import ActionPlan
from connectors.http.requests import RequestTemplate
from connectors.http.templates import Unfillable, Values
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    Unauthorized,
)

_NOT_THERE = (404, 410)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, and what it means."""

    answer: Answer
    error: ConnectorError | None
    absent: bool  # there is no such record


class Calls:
    """What all requests of one connector share: its site, its token, and its client."""

    def __init__(
        self,
        definition: HttpDefinition,
        *,
        folder: Path | None,
        client: Callable[[], Client],  # called by the first request
    ) -> None:
        self._definition = definition
        self._folder = folder
        self._client_of_process = client
        self._client: Client | None = None
        self._site: Site | None = None
        self._tokens = Tokens()
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
        call: Outgoing,
        record_id: str = "",
        items: Sequence[object] = (),
    ) -> Reply:
        """Ask, and once more where a kept token was refused: that stored nothing.

        `items` are what a batch carries; its headers are those of the first `call`.
        """
        reply, token = await self._ask_once(plan, template, call, record_id, items)
        if not isinstance(reply.error, Unauthorized):
            return reply
        self._site = None  # the secret may have been changed; the next call reads it anew
        if not token:
            return reply
        self._tokens.drop(token)
        again, _ = await self._ask_once(plan, template, call, record_id, items)
        return again

    async def _ask_once(
        self,
        plan: ActionPlan,
        template: RequestTemplate,
        call: Outgoing,
        record_id: str,
        items: Sequence[object],
    ) -> tuple[Reply, str]:
        """The reply, and the token that was shown, if any."""
        try:
            site = self._resolved()
            if self._client is None:
                self._client = self._client_of_process()
            token = await self._token(site, self._client)
            values = Values(
                key=call.key,
                send=call.fields,
                record_id=record_id,
                secrets=site.named,
                items=items,
            )
            request = self._request(site, plan, template, values, token)
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
        return self._judged(plan, template, answer), token

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
        self, site: Site, plan: ActionPlan, template: RequestTemplate, values: Values, token: str
    ) -> Request:
        body = template.body(values)
        headers = {**site.headers, **template.headers(values)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if site.signer and template.stage in (RequestKind.WRITE, RequestKind.UNDO):
            headers |= site.signer(values.key, body or b"", int(time.time()))
        return Request(
            purpose=template.name,
            method=template.method,
            url=site.url(template.target(values)),
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

    def _judged(self, plan: ActionPlan, template: RequestTemplate, answer: Answer) -> Reply:
        verdict = plan.rules.verdict(template.stage, answer)
        if verdict is not None:
            error = error_by(
                verdict, template.name, answer, creating=template.creates, secrets=self.masks
            )
            return Reply(answer=answer, error=error, absent=verdict.means is Means.ABSENT)
        absent = answer.status in _absent_statuses(plan, template.stage)
        if answer.ok:
            return Reply(answer=answer, error=None, absent=False)
        error = error_of(template.name, answer, creating=template.creates, secrets=self.masks)
        return Reply(answer=answer, error=error, absent=absent)


def _absent_statuses(plan: ActionPlan, stage: RequestKind) -> tuple[int, ...]:
    if stage is RequestKind.LOOKUP:
        status = plan.lookup.absent_status if plan.lookup else None
        return () if status is None else (status,)
    return _NOT_THERE if stage in (RequestKind.READ, RequestKind.UNDO) else ()
