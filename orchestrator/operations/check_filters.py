"""Refuse a filter that names nobody known: it would look as if nothing were there."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.incidents.list import reason_of
from orchestrator.store.views.known_names import (
    known_owners,
    known_workflows,
    knows_owner,
    knows_workflow,
)


def check_filters(
    tx: Tx,
    *,
    client: str | None = None,
    workflow: str | None = None,
    owner: str | None = None,
    incident: int | None = None,
    clients: frozenset[str] | None = None,
) -> None:
    """Raises Refused, with the nearest name, for a client, workflow or owner that never was there.

    Raises NotFound for such an incident. Of others than these `clients` (None: of nobody) it is as
    if they never were there. One that is known and has nothing that matches is not a
    mistake.
    """
    if incident is not None and reason_of(tx, incident, clients=clients) is None:
        raise no_incident(incident)
    named = client is not None or workflow is not None
    if named and not knows_workflow(tx, client, workflow, clients):
        _refuse_workflow(tx, client, workflow, clients)
    if owner is not None and clients is None and not knows_owner(tx, owner):
        raise _unknown("owner", f"there is no owner {owner!r}", owner, known_owners(tx))


def no_incident(incident: int) -> NotFound:
    """What is said of an incident that does not exist."""
    return NotFound(f"there is no incident {incident}", fix="see `meshline incidents list`")


def _refuse_workflow(
    tx: Tx, client: str | None, workflow: str | None, scope: frozenset[str] | None
) -> None:
    known = [one for one in known_workflows(tx) if scope is None or one[0] in scope]
    option = "client" if client is not None else "workflow"
    if not known and scope is not None:
        name = client if client is not None else workflow
        fix = "see `meshline workflow list`"
        raise Refused(f"there is no {option} {name!r}", field=option, fix=fix)
    if not known:
        raise Refused(
            "no workflow is published yet",
            field=option,
            fix="publish one with `meshline workflow publish FILE`",
        )
    clients = sorted({one for one, _ in known})
    if client is not None and client not in clients:
        raise _unknown("client", f"there is no client {client!r}", client, clients)
    names = sorted({name for one, name in known if client in (None, one)})
    whose = "" if client is None else f" of client {client!r}"
    said = f"there is no workflow {workflow!r}{whose}"
    raise _unknown("workflow", said, str(workflow), names)


def _unknown(option: str, said: str, name: str, known: Iterable[str]) -> Refused:
    from orchestrator.domain.text.hints import did_you_mean  # it takes a while to load

    return Refused(said, field=option, fix=did_you_mean(name, known))
