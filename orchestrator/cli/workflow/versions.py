"""Published versions of workflows, as the commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.who import seen_clients
from orchestrator.domain.errors import NotFound, Refused

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.workflow_versions import WorkflowDefinition, WorkflowVersion

_SEE = "see `meshline workflow list --all-versions`"


def versions(store: Store, *, client: str | None, all_versions: bool) -> list[WorkflowVersion]:
    """Versions by client and name, without their definitions."""
    from orchestrator.operations.check_filters import check_filters
    from orchestrator.store.views.workflow_versions import list_versions

    clients = seen_clients(store)
    with store.read() as tx:
        check_filters(tx, client=client, clients=clients)
        return list_versions(tx, client=client, clients=clients, all_versions=all_versions)


def find_version(
    store: Store, name: str, *, client: str | None, version: int | None
) -> WorkflowDefinition:
    """One version with its definition: the live one, or `version`.

    Raises NotFound, and Refused where the name alone means workflows of several clients.
    """
    from orchestrator.store.views.workflow_versions import list_definitions

    scope = seen_clients(store)
    with store.read() as tx:
        rows = list_definitions(
            tx, client=client, clients=scope, name=name, all_versions=version is not None
        )
    found = [row for row in rows if version in (None, row.version)]
    clients = sorted({row.client for row in found})
    if not found:
        which = f"version {version} of workflow" if version else "live workflow"
        whose = f" of client {client!r}" if client else ""
        raise NotFound(f"there is no {which} {name!r}{whose}", fix=_SEE)
    if len(clients) > 1:
        raise Refused(
            f"clients {', '.join(clients)} each have a workflow {name!r}",
            fix="say which with --client",
        )
    return found[0]
