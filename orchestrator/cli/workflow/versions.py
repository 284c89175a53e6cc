"""Published versions of workflows, as the commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import NotFound, Refused

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_SEE = "see `meshline workflow list --all-versions`"


def versions(store: Store, *, client: str | None, all_versions: bool) -> list[dict[str, Any]]:
    """Versions by client and name, without their definitions."""
    from orchestrator.operations.check_filters import check_filters
    from orchestrator.store.quarantine.workflows import list_versions

    with store.read() as tx:
        check_filters(tx, client=client)
        return [
            _version(row) for row in list_versions(tx, client=client, all_versions=all_versions)
        ]


def find_version(
    store: Store, name: str, *, client: str | None, version: int | None
) -> dict[str, Any]:
    """One version with its definition: the live one, or `version`.

    Raises NotFound, and Refused where the name alone means workflows of several clients.
    """
    import orjson

    from orchestrator.store.quarantine.workflows import list_versions

    with store.read() as tx:
        rows = list_versions(tx, client=client, name=name, all_versions=version is not None)
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
    return {**_version(found[0]), "definition": orjson.loads(found[0].definition)}


def _version(row: Any) -> dict[str, Any]:
    from orchestrator.store.views.values import iso

    return {
        "client": row.client,
        "workflow": row.name,
        "version": row.version,
        "live": bool(row.live),
        "type": row.trigger_type,
        "digest": row.digest,
        "published_at": iso(row.published_at),
        "published_by": row.published_by,
    }
