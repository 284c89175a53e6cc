"""Why a fact is absent from a payload, in one sentence."""

from __future__ import annotations

from orchestrator.domain.workflows.cel.text import DataPath, data_paths, tokens


def why_absent(text: str, payload: object) -> str:
    """Which path of the expression leads nowhere in the payload."""
    for path in data_paths(tokens(text)):
        if why := _leads_nowhere(path, payload):
            return why
    return "what it needs is not in the payload"


def _leads_nowhere(path: DataPath, payload: object) -> str | None:
    found, before = payload, "data"
    for step in path.steps:
        if not isinstance(found, dict):
            return f"`{before}` is {'null' if found is None else 'not an object'}"
        before += f".{step}"
        if step not in found:
            return f"`{before}` is not in the payload"
        found = found[step]
    return None
