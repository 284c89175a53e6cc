"""The header `Prefer` (RFC 7240): what a sender would like; what is unknown is ignored."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

EACH = "outcome=each"
"""Each trigger of a batch is taken or refused by itself."""

_PREFERENCE = re.compile(
    r'\s*([!#$%&\'*+.^_`|~\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?[^,]*(?:,|$)', re.ASCII
)


def prefers(headers: Headers, preference: str) -> bool:
    """Whether a request prefers this; of a name that comes twice the first one counts.

    >>> prefers(Headers({"prefer": 'wait=5, Outcome="each"'}), EACH)
    True
    """
    wanted, _, value = preference.partition("=")
    for given in headers.getlist("prefer"):
        for name, said in _PREFERENCE.findall(given):
            if name.lower() == wanted:
                return bool(said.strip('"').lower() == value)
    return False
