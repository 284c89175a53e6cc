"""Places in a JSON document as RFC 6901 writes them: `/items/0/sku`, with ~1 for / and ~0 for ~."""

from __future__ import annotations

from collections.abc import Iterable


def json_pointer(steps: Iterable[str | int]) -> str:
    """The pointer to the place that these names and indices lead to.

    >>> json_pointer(["items", 0, "a/b"])
    '/items/0/a~1b'
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def pointer_steps(pointer: str) -> list[str]:
    """The steps of a pointer; what is before its first slash is not one.

    >>> pointer_steps("/items/0/a~1b")
    ['items', '0', 'a/b']
    """
    return [pointer_step(one) for one in pointer.split("/")[1:]]


def pointer_step(written: str) -> str:
    """One step, without its escapes."""
    return written.replace("~1", "/").replace("~0", "~")
