"""One request at the address of a source, as it came over the line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class HookRequest:
    """A request of a vendor or a form."""

    method: str  # in capitals
    url: str  # as the vendor called it: scheme, host, path and query
    headers: Mapping[str, str]  # by name in small letters; repeated ones joined with ", "
    body: bytes = field(repr=False)
    secret_path: str = field(default="", repr=False)  # what the address has behind the source

    def header(self, name: str) -> str:
        """The value of a header; "" where it is not there."""
        return self.headers.get(name.lower(), "")


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers by name in small letters.

    A header that comes twice is joined, so that no check sees only one of the two.

    >>> joined([("X-A", "1"), ("x-a", "2")])
    {'x-a': '1, 2'}
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        low = name.lower()
        found[low] = f"{found[low]}, {value}" if low in found else value
    return found
