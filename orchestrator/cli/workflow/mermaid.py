"""A workflow as a Mermaid flowchart: trigger, contract, routes in their order, destinations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.domain.workflows.workflow import Workflow

_SPECIAL = re.compile(r"[^\w .,:;=/@()\[\]{}!?*+'|-]")
_LONGEST = 120


def flowchart(workflow: Workflow) -> str:
    """The text of the chart."""
    return "\n".join(["flowchart TD", *(f"  {line}" for line in _lines(workflow))])


def _lines(workflow: Workflow) -> Iterator[str]:
    required = ", ".join(str(name) for name in workflow.contract.get("required", ()))
    yield f'trigger(["{_label(workflow.trigger_type)}"]) --> contract'
    yield f'contract["{_label("contract", f"requires {required}" if required else "")}"] --> route1'
    yield 'contract -- "is broken" --> quarantine'
    for number, route in enumerate(workflow.routes, start=1):
        yield f'route{number}{{"{_label(route.when)}"}}'
        source, said = f"route{number}", "yes"
        if route.approve:
            source, said = f"approval{number}", "approved"
            asks = _label("approval", workflow.owners.approver, f"within {route.approve.within}")
            yield f'route{number} -- "yes" --> {source}[/"{asks}"\\]'
            yield f'{source} -- "refused or late" --> quarantine'
        for name in route.to:
            yield f'{source} -- "{said}" --> {_destination(workflow, name)}'
        last = number == len(workflow.routes)
        yield f'route{number} -- "no" --> {"quarantine" if last else f"route{number + 1}"}'
    for name, destination in workflow.destinations.items():
        called = f"{destination.connector}.{destination.action}"
        items = f"each of {destination.each}" if destination.each is not None else ""
        yield f'{_destination(workflow, name)}[["{_label(name, called, items)}"]]'
        for other in destination.after:
            before, then = _destination(workflow, other), _destination(workflow, name)
            yield f'{before} -. "confirmed" .-> {then}'
    yield f'quarantine[/"{_label("quarantine", workflow.owners.recovery_lead)}"/]'


def _destination(workflow: Workflow, name: str) -> str:
    return f"destination{list(workflow.destinations).index(name) + 1}"


def _label(*lines: str) -> str:
    """Lines of a label; whatever Mermaid would read as its own is written by its number."""
    return "<br/>".join(_SPECIAL.sub(_entity, _cut(line)) for line in lines if line)


def _entity(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};" if match[0].isprintable() else " "


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
