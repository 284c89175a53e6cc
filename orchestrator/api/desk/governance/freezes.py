"""Freezes of clients: begin and end; `GET /v1/changes/{change}` shows the one that holds it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.models import NeedsWhy
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.domain.acts import Act
from orchestrator.operations.changes.freeze import Frozen, Thawed, freeze_changes, thaw_changes


class NewFreeze(NeedsWhy):
    """When nothing goes live."""

    until: Annotated[str, Field(description="3d from now, or ISO 8601 with its zone")]
    since: Annotated[str | None, Field(description="without it, now")] = None
    dry_run: bool = False


def freeze(asked: Asked) -> Answer:
    """Freeze a client, or with `dry_run` say what that would hold back."""
    body = asked.body_as(NewFreeze)
    done = freeze_changes(
        asked.store,
        asked.path["client"],
        until=body.until,
        why=body.why,
        actor=asked.actor,
        since=body.since,
        dry_run=body.dry_run,
    )
    return Answer(document=done)


def thaw(asked: Asked) -> Answer:
    """End its freezes."""
    why = asked.body_as(NeedsWhy).why
    done = thaw_changes(asked.store, asked.path["client"], why=why, actor=asked.actor)
    return Answer(document=done)


ROUTES = (
    Route(
        method="POST",
        path="/v1/freezes/{client}",
        name="freeze_changes",
        act=Act.FREEZE_CHANGES,
        says="Let no version of a client's workflows go live for a while.",
        handler=freeze,
        body=NewFreeze,
        answers=Frozen,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="POST",
        path="/v1/freezes/{client}/thaw",
        name="thaw_changes",
        act=Act.THAW_CHANGES,
        says="End the freezes of a client.",
        handler=thaw,
        body=NeedsWhy,
        answers=Thawed,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
