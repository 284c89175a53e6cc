"""Settings and secrets of a definition: `env:NAME` or `file:PATH`, read when first used.

A definition is published and checked on machines that do not hold the secrets, so a reference that
leads nowhere is an error of the call that needs it, and of `registry.unresolved`, never of loading.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

import orjson

REFERENCE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+"
_MASK = "***"
_LEAST_ENCODED = 8  # a shorter one in base64 could be a part of any word


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


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret in it covered, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, _MASK)
    return text


def spellings(secret: str) -> frozenset[str]:
    """The ways in which a destination may repeat a secret."""
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found.add(orjson.dumps(secret)[1:-1].decode())
    if len(secret) >= _LEAST_ENCODED:
        plain = secret.encode()
        found.add(base64.b64encode(plain).decode().rstrip("="))
        found.add(base64.urlsafe_b64encode(plain).decode().rstrip("="))
    return frozenset(found)


def _content(path: Path, reference: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise UnresolvedReference(f"{reference} cannot be read on this machine") from None
