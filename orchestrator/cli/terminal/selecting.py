"""Which quarantined events a command is about: its options, and the selection they make."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import typer

from orchestrator.cli.terminal.options import (
    DiscardedSince,
    DiscardedUntil,
    Ids,
    OnlyClient,
    OnlyIncident,
    OnlyOwner,
    OnlyReason,
    OnlyWorkflow,
    Since,
    Until,
    WithText,
)
from orchestrator.cli.terminal.personal import check_words_here
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.domain.errors import Refused
from orchestrator.domain.incidents.incident import (
    AWAITING,
    BAD_SIGNATURES,
    BROKE_GLASS,
    HELD,
    LATE,
    LOW_RATE,
    OLD_SPOOL,
)
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.given_times import EXAMPLES, given_time

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store, Tx
    from orchestrator.store.views.quarantine.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was said on the command line; times as they were written."""

    ids: Sequence[str] | None = None
    client: str | None = None
    workflow: str | None = None
    reason: Reason | None = None
    since: str | None = None
    until: str | None = None
    incident: int | None = None
    owner: str | None = None
    text: str | None = None

    def needed(self, store: Store) -> Selection:
        """The selection of a command that acts: without a condition it is wrong usage."""
        found = self.selection(store)
        if found.is_empty:
            raise typer.BadParameter(
                "nothing was selected: give event ids, or a filter such as --workflow or --reason"
            )
        return found

    def selection(self, store: Store) -> Selection:
        """The selection, `2h` counted back by the store's clock.

        Raises BadParameter, NotFound for an incident that does not exist, and Refused for one of
        which nothing is ever quarantined, and for a client, a workflow or an owner that
        nobody knows, and for words among personal values that this person may not see.
        """
        from orchestrator.cli.terminal.who import seen_clients
        from orchestrator.domain.text.words import sought_words
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.events.short_ids import whole_ids
        from orchestrator.store.views.quarantine.selection import Selection
        from orchestrator.store.views.values import now_of

        with as_usage("--text"):
            words = () if self.text is None else sought_words(self.text)
        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            check_filters(
                tx,
                client=self.client,
                workflow=self.workflow,
                owner=self.owner,
                clients=clients,
            )
            if self.incident is not None:
                _check_incident(tx, self.incident, clients)
            chosen = Selection(
                ids=whole_ids(tx, self.ids or ()),
                client=self.client,
                workflow=self.workflow,
                reason=self.reason,
                since=moment_given(self.since, now, option="--since"),
                until=moment_given(self.until, now, option="--until"),
                incident=self.incident,
                owner=self.owner,
                words=words,
                clients=clients,
            )
            check_words_here(store, tx, words, chosen)
        return chosen


_OPTIONS: dict[str, Any] = {
    "ids": Ids,
    "client": OnlyClient,
    "workflow": OnlyWorkflow,
    "reason": OnlyReason,
    "since": Since,
    "until": Until,
    "incident": OnlyIncident,
    "owner": OnlyOwner,
    "text": WithText,
}


def selects(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the ids and options that say which events; it is given them as `filters`."""
    return _given(command, [one.name for one in fields(Filters)])


def selects_discarded(command: Callable[..., None]) -> Callable[..., None]:
    """The same over discarded events; their times are those of the discard."""
    names = [one.name for one in fields(Filters)]
    return _given(command, names, since=DiscardedSince, until=DiscardedUntil)


def narrows(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a listing, which takes no ids."""
    return _given(command, [one.name for one in fields(Filters) if one.name != "ids"])


def _given(
    command: Callable[..., None], names: Sequence[str], **instead: Any
) -> Callable[..., None]:
    own = inspect.signature(command, eval_str=True)
    kept = [one for name, one in own.parameters.items() if name != "filters"]
    kind = inspect.Parameter.KEYWORD_ONLY
    options = {**_OPTIONS, **instead}
    added = [
        inspect.Parameter(name, kind, default=None, annotation=options[name]) for name in names
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        said = {one.name: given.pop(one.name) for one in added}
        command(filters=Filters(**said), **given)

    # Typer reads both.
    run.__signature__ = own.replace(parameters=[*added, *kept])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*added, *kept)}
    return run


def _check_incident(tx: Tx, incident: int, clients: frozenset[str] | None) -> None:
    from orchestrator.operations.check_filters import no_incident
    from orchestrator.store.views.incidents.list import reason_of

    reason = reason_of(tx, incident, clients=clients)
    if reason is None:
        raise no_incident(incident)
    if reason in _NEVER_STANDS:
        raise Refused(
            f"incident {incident} is of {_NEVER_STANDS[reason]}: none is in quarantine",
            fix=f"see `meshline incidents show {incident}`",
        )


_NEVER_STANDS = {
    HELD: "deliveries that are held",
    LATE: "events that are under way and late",
    LOW_RATE: "too few deliveries",
    AWAITING: "events that await an approval",
    BROKE_GLASS: "a change that went live by break-glass",
    BAD_SIGNATURES: "requests that a source does not prove",
    OLD_SPOOL: "events that wait on their producer's own disk",
    Reason.POISON_MESSAGE: "messages that no worker can read",
}


def moment_given(text: str | None, now: int, *, option: str) -> int | None:
    """A time in milliseconds, from `2h` ago or ISO 8601. Raises BadParameter."""
    if text is None:
        return None
    at = given_time(text, now)
    if at is None:
        raise typer.BadParameter(f"{text!r} is not a time: write {EXAMPLES}", param_hint=option)
    return at
