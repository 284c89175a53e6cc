"""Settings and secrets of a definition: `env:NAME` or `file:PATH`, read when first used.

A definition is published and checked on machines that do not hold the secrets, so a reference that
leads nowhere is an error of the call that needs it, and of `registry.unresolved`, never of loading.
"""

from __future__ import annotations

import os
from pathlib import Path

_MOST_BYTES = 65_536  # of a secret in a file

REFERENCE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+"


class UnresolvedReference(ValueError):
    """Raised when a reference leads nowhere; the text names it and never its value."""


def is_reference(text: str) -> bool:
    """Whether a text stands for what is kept elsewhere."""
    return text.startswith(("env:", "file:"))


def resolve(text: str, *, folder: Path | None = None) -> str:
    """The text itself, or what its reference leads to. Raises UnresolvedReference.

    A relative `file:` path starts at `folder`, where the definition lies.
    """
    if text.startswith("env:"):
        value = os.environ.get(text.removeprefix("env:"), "")
    elif text.startswith("file:"):
        value = _content(Path(folder or ".") / text.removeprefix("file:"), text)
    else:
        return text
    if not value:
        raise UnresolvedReference(f"{text} is not set on this machine")
    if not value.isprintable():
        raise UnresolvedReference(f"{text} holds a line break or a control character")
    return value


def _content(path: Path, reference: str) -> str:
    try:
        # Not to wait at a pipe that nobody writes to, and not to read a device without end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            content = file.read(_MOST_BYTES + 1) or b""
        text = content.decode().strip()
    except (OSError, ValueError):
        raise UnresolvedReference(f"{reference} cannot be read on this machine") from None
    if len(content) > _MOST_BYTES:
        raise UnresolvedReference(f"{reference} is larger than {_MOST_BYTES} bytes")
    return text
