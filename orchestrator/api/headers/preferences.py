"""What a sender would like: `Prefer` (RFC 7240) and `Accept` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

EACH = "outcome=each"
"""Each trigger of a batch is taken or refused by itself."""

_PREFERENCE = re.compile(
    r'\s*([!#$%&\'*+.^_`|~\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?[^,]*(?:,|$)', re.ASCII
)


_JSON, _HTML = "application/json", "text/html"
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def prefers(headers: Headers, preference: str) -> bool:
    """Whether a request prefers this, by `Prefer`; of a name that comes twice the first counts.

    >>> prefers(Headers({"prefer": 'wait=5, Outcome="each"'}), EACH)
    True
    """
    wanted, _, value = preference.partition("=")
    for given in headers.getlist("prefer"):
        for name, said in _PREFERENCE.findall(given):
            if name.lower() == wanted:
                return bool(said.strip('"').lower() == value)
    return False


def prefers_html(accept: str) -> bool:
    """Whether a page is wanted rather than JSON: it is named, and no less than JSON.

    What takes anything is a script, for browsers that show pages name HTML.

    >>> prefers_html("text/html,*/*;q=0.8"), prefers_html("*/*")
    (True, False)
    """
    weights = {_HTML: 0.0, _JSON: 0.0}
    for given in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in given.split(";"))
        if kind in weights:
            said = next((one[2:] for one in parameters if one.startswith("q=")), "1")
            weights[kind] = float(said) if _WEIGHT.fullmatch(said) else 0.0
    return weights[_HTML] > 0 and weights[_HTML] >= weights[_JSON]
