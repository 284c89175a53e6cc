"""Plain paths into a payload, as the keys of a workflow file name them: `data.contact.email`."""

from __future__ import annotations

from orchestrator.domain.documents.model_faults import wrong
from orchestrator.domain.workflows.cel.text import plain_path, tokens

LONGEST_PATH = 200
"""Characters of such a path."""


def checked_path(text: str) -> str:
    """The path as it is. Raises PydanticCustomError where it is not a plain one."""
    path = plain_path(tokens(text))
    if path is None or not path.steps:
        fix = "write a path into the payload, such as data.email"
        raise wrong("path", f"{text!r} is not a plain path", fix)
    return text


def steps_of(text: str) -> tuple[str, ...]:
    """The names of a path that `checked_path` took, from the payload's top."""
    path = plain_path(tokens(text))
    return path.steps if path else ()
