"""The quarantine: list, replay, discard, restore and fix events that a selection names."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from orchestrator.api.desk.cursors import Page, cursor_of, place_of
from orchestrator.api.desk.models import Body, Name, Number, Paged, Why
from orchestrator.api.desk.routes import Answer, Asked, Handler, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.api.desk.selections import Conditions, moment_of, selection_of
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.amendment import Amendment, steps_of
from orchestrator.operations.quarantine.discard import Discarded, discard_events
from orchestrator.operations.quarantine.restore import Restored, restore_events
from orchestrator.operations.repair.amend import Fixed, fix_events
from orchestrator.operations.replay.without_plan import Replayed, replay_events
from orchestrator.store.views.quarantine.list import (
    QuarantinedEvent,
    list_quarantine,
    place_in_quarantine,
)
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of


class Quarantined(Paged):
    """Which events."""

    client: Name | None = None
    workflow: Name | None = None
    reason: Reason | None = None
    since: Name | None = None
    until: Name | None = None
    incident: Number | None = None
    owner: Name | None = None
    amended: bool | None = None
    text: Name | None = None


class Selected(Body):
    """Events, and whether only to look at what would happen to them."""

    selection: Conditions
    dry_run: bool = False


class Replay(Selected):
    """Send events on their way again."""

    send_again: Annotated[
        bool, Field(description="also deliveries that may have arrived, and cannot be looked up")
    ] = False
    anyway: Annotated[bool, Field(description="also what would be refused again")] = False


class Discard(Selected):
    """Give events up, or take that back; a reason is needed unless it is a dry run."""

    why: Why | None = None


class Change(Body):
    """One change of a payload."""

    action: Literal["rename", "set", "unset"]
    path: Annotated[Name, Field(description="dotted, or a JSON Pointer")]
    to: Annotated[Name | None, Field(description="of a rename: the new path")] = None
    value: Annotated[JsonValue, Field(description="of a set: any JSON value")] = None


class Fix(Selected):
    """Change payloads of events."""

    changes: Annotated[tuple[Change, ...], Field(min_length=1, max_length=100, strict=False)]
    again: Annotated[bool, Field(description="also what somebody else amended")] = False


def list_(asked: Asked) -> Answer:
    """The oldest first."""
    query = asked.query_as(Quarantined)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        now = now_of(tx)
        chosen = Selection(
            client=query.client,
            workflow=query.workflow,
            reason=None if query.reason is None else query.reason.value,
            since=moment_of(query.since, now, field="since"),
            until=moment_of(query.until, now, field="until"),
            incident=query.incident,
            owner=query.owner,
            amended=query.amended,
            clients=asked.some_clients(tx),
        )
        chosen = replace(chosen, words=asked.words(tx, query.text, chosen))
        after = None if place is None else int(place[0])
        rows = list_quarantine(tx, chosen, limit=query.limit + 1, after=after)
        shown, more = rows[: query.limit], len(rows) > query.limit
        following = cursor_of(place_in_quarantine(tx, shown[-1].id)) if more else None
    return Answer(document=Page(rows=shown, next=following).as_json("events"))


def replay(asked: Asked) -> Answer:
    """Send them on their way again."""
    body = asked.body_as(Replay)
    done = replay_events(
        asked.store,
        _selection(asked, body),
        actor=asked.actor,
        dry_run=body.dry_run,
        send_again=body.send_again,
        anyway=body.anyway,
        progress=asked.goes_on,
    )
    return Answer(document=done)


def discard(asked: Asked) -> Answer:
    """Give them up."""
    body = asked.body_as(Discard)
    done = discard_events(
        asked.store,
        _selection(asked, body),
        why=body.why or "",
        actor=asked.actor,
        dry_run=body.dry_run,
        progress=asked.goes_on,
    )
    return Answer(document=done)


def restore(asked: Asked) -> Answer:
    """Take a discard back."""
    body = asked.body_as(Discard)
    done = restore_events(
        asked.store,
        _selection(asked, body),
        why=body.why or "",
        actor=asked.actor,
        dry_run=body.dry_run,
        progress=asked.goes_on,
    )
    return Answer(document=done)


def fix(asked: Asked) -> Answer:
    """Change their payloads."""
    body = asked.body_as(Fix)
    done = fix_events(
        asked.store,
        _selection(asked, body),
        [_amendment(one) for one in body.changes],
        actor=asked.actor,
        again=body.again,
        dry_run=body.dry_run,
        progress=asked.goes_on,
    )
    return Answer(document=done)


def _amendment(said: Change) -> Amendment:
    steps_of(said.path)
    if said.action == "rename":
        if said.to is None:
            raise Refused("a rename needs a new path", field="changes", fix="give it as `to`")
        steps_of(said.to)
    return Amendment(action=said.action, path=said.path, to=said.to, value=said.value)


def _selection(asked: Asked, body: Selected) -> Selection:
    with asked.store.read() as tx:
        return selection_of(tx, asked, body.selection)


def _act(
    name: str, act: Act, handler: Handler, speaks: tuple[type[Selected], type], says: str
) -> Route:
    """An act on a selection; `speaks` are the types of its body and of its answer."""
    return Route(
        method="POST",
        path=f"/v1/quarantine/{name}",
        name=f"{name}_events",
        act=act,
        says=says,
        handler=handler,
        body=speaks[0],
        answers=speaks[1],
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/quarantine",
        name="list_quarantine",
        act=Act.VIEW,
        says="List the events in quarantine, the oldest first.",
        handler=list_,
        query=Quarantined,
        answers=list_of(QuarantinedEvent, "events"),
    ),
    _act(
        "replay",
        Act.REPLAY,
        replay,
        (Replay, Replayed),
        "Send quarantined events on their way again, or with `dry_run` say what would happen.",
    ),
    _act(
        "discard",
        Act.DISCARD,
        discard,
        (Discard, Discarded),
        "Give quarantined events up, or with `dry_run` say which.",
    ),
    _act(
        "restore",
        Act.RESTORE,
        restore,
        (Discard, Restored),
        "Take a discard back, or with `dry_run` say of which events.",
    ),
    _act(
        "fix",
        Act.AMEND,
        fix,
        (Fix, Fixed),
        "Change payloads of quarantined events, or with `dry_run` say of which.",
    ),
)
