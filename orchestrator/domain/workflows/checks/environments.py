"""What a rehearsal calls in the place of a workflow's connectors, against what these can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.workflow import Destination

STAGING = "staging"
"""The environment that a rehearsal takes."""

DRY = "dry"
"""In place of a connector: what would be sent is made, and not sent."""


def environment_faults(
    environments: object, destinations: Mapping[str, Destination | None], catalog: Catalog
) -> list[Fault]:
    """Where a rehearsal would be led to a connector that cannot take what is sent."""
    used: dict[str, set[str]] = {}
    for one in filter(None, destinations.values()):
        used.setdefault(one.connector, set()).add(one.action)
    staged = environments.get(STAGING) if isinstance(environments, Mapping) else None
    found: list[Fault] = []
    for name, instead in (staged if isinstance(staged, Mapping) else {}).items():
        found += _faults(name, instead, used, catalog)
    return found


def _faults(
    name: str, instead: object, used: Mapping[str, set[str]], catalog: Catalog
) -> Iterator[Fault]:
    path = f"environments.{STAGING}.{name}"
    if name not in used:
        problem = f"no destination uses the connector `{name}`"
        yield Fault(path=path, problem=problem, fix=did_you_mean(name, sorted(used)))
    elif not isinstance(instead, str) or instead == DRY:
        return
    elif instead not in catalog:
        problem = f"there is no connector `{instead}`"
        yield Fault(path=path, problem=problem, fix=did_you_mean(instead, [*catalog, DRY]))
    elif lacking := sorted(used[name] - catalog[instead].keys()):
        problem = f"the connector `{instead}` has no action `{lacking[0]}`"
        yield Fault(path=path, problem=problem, fix=f"define the actions of `{name}` for it too")
