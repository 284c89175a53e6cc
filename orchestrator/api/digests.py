"""The digest of what somebody saw: an ETag, and what If-Match is compared with."""

from __future__ import annotations

import hashlib
import re

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')


def digest_of(document: bytes) -> str:
    """The digest of a document, as an ETag holds it.

    >>> digest_of(b"{}")
    '44136fa355b3678a1146ad16f7e8649e'
    """
    return hashlib.sha256(document).hexdigest()[:32]


def read_tags(header: str | None) -> tuple[str, ...]:
    """The digests of an If-Match header, one of which has to fit; none where any does.

    >>> read_tags('"ab", "cd"'), read_tags("*"), read_tags(None), read_tags("nonsense")
    (('ab', 'cd'), (), (), ('',))
    """
    if header is None or header.strip() == "*":
        return ()
    return tuple(_TAG.findall(header)) or ("",)


def matches_none(header: str, digest: str) -> bool:
    """Whether no tag of an If-None-Match header fits (weakly, as RFC 9110 has it); `*` fits all.

    >>> matches_none('W/"ab"', "ab"), matches_none('"ab"', "cd"), matches_none("*", "cd")
    (False, True, False)
    """
    return header.strip() != "*" and digest not in _TAG.findall(header)
