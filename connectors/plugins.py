"""Connectors that other packages bring: the entry points of the group `meshline.connectors`.

Each names a class or function without arguments that gives a connector; the entry point's name is
the connector's.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from orchestrator.domain.delivery.handoff import Connector
from orchestrator.domain.errors import Fault, InvalidFile

GROUP = "meshline.connectors"
_PORT = ("name", "actions", "limits", "create", "lookup", "read", "undo", "close")


def plugged_in() -> dict[str, EntryPoint]:
    """The entry points by name, none of them loaded. Raises InvalidFile for two of one name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in found and point != found[point.name]:
            other = package_of(found[point.name])
            raise _broken(point, f"the package {other} brings it too", "uninstall one of them")
        found[point.name] = point
    return found


def plug_in(point: EntryPoint) -> Connector:
    """The connector of an entry point. Raises InvalidFile."""
    try:
        connector = point.load()()
    except Exception as error:  # it is other people's code
        problem = f"it cannot be loaded: {type(error).__name__}: {error}"
        raise _broken(point, problem, "repair or uninstall the package") from error
    missing = [name for name in _PORT if not hasattr(connector, name)]
    if missing:
        raise _broken(point, f"it has no {', '.join(missing)}", "write every part of the port")
    if connector.name != point.name:
        problem = f"it calls itself {connector.name}"
        raise _broken(point, problem, "name the entry point like the connector")
    plugged: Connector = connector
    return plugged


def package_of(point: EntryPoint) -> str:
    """The package that an entry point comes from."""
    return point.dist.name if point.dist else point.value


def release_of(point: EntryPoint) -> str:
    """The package and its version; what the package changes without a new one is not seen."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _broken(point: EntryPoint, problem: str, fix: str) -> InvalidFile:
    fault = Fault(path=point.name, problem=problem, fix=fix)
    return InvalidFile(f"package {package_of(point)}", [fault])
