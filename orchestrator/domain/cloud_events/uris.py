"""URIs by the grammar of RFC 3986."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

_PERCENT = r"%[0-9A-Fa-f]{2}"
_NAME = r"A-Za-z0-9\-._~!$&'()*+,;="  # unreserved and sub-delims
_CHAR = rf"(?:[{_NAME}:@]|{_PERCENT})"
_AUTHORITY = (
    rf"(?:(?:[{_NAME}:]|{_PERCENT})*@)?"
    rf"(?:\[(?P<literal>[0-9A-Za-z\-._~!$&'()*+,;=:]+)\]|(?:[{_NAME}]|{_PERCENT})*)"
    r"(?::[0-9]*)?"
)
_ROOTED = rf"(?://{_AUTHORITY}(?:/{_CHAR}*)*|/(?:{_CHAR}+(?:/{_CHAR}*)*)?)"
_QUERY = rf"(?:\?(?:{_CHAR}|[/?])*)?"
_FRAGMENT = rf"(?:\#(?:{_CHAR}|[/?])*)?"
_WITH_SCHEME = rf"[A-Za-z][A-Za-z0-9+\-.]*:(?:{_ROOTED}|{_CHAR}+(?:/{_CHAR}*)*)?{_QUERY}"
# The first part of a relative path has no colon: it would be a scheme.
_RELATIVE = rf"(?:{_ROOTED}|(?:[{_NAME}@]|{_PERCENT})+(?:/{_CHAR}*)*)?{_QUERY}{_FRAGMENT}"

_ABSOLUTE = re.compile(_WITH_SCHEME)
_URI = re.compile(_WITH_SCHEME + _FRAGMENT)
_RELATIVE_REFERENCE = re.compile(_RELATIVE)
_FUTURE = re.compile(rf"[vV][0-9A-Fa-f]+\.[{_NAME}:]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")


def is_reference(text: str) -> bool:
    """Whether a text is a URI-reference (section 4.1); the empty one is.

    >>> is_reference("/forms/contact"), is_reference("/the form")
    (True, False)
    """
    return _fits(_URI, text) or _fits(_RELATIVE_REFERENCE, text)


def is_absolute(text: str) -> bool:
    """Whether a text is an absolute-URI (section 4.3): with a scheme, and without a fragment.

    >>> is_absolute("https://example.com/lead.json"), is_absolute("/lead.json")
    (True, False)
    """
    return _fits(_ABSOLUTE, text)


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    found = pattern.fullmatch(text)
    if found is None:
        return False
    literal = found["literal"]
    return literal is None or _is_address(literal)


def _is_address(literal: str) -> bool:
    if _FUTURE.fullmatch(literal):
        return True
    if not _IPV6.fullmatch(literal):
        return False
    try:
        IPv6Address(literal)
    except AddressValueError:
        return False
    return True
