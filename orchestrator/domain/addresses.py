"""What counts as the e-mail address of somebody who answers for things."""

from __future__ import annotations

import re

from orchestrator.domain.abbreviate import shorten
from orchestrator.domain.errors import Refused

LONGEST_ADDRESS = 254  # characters
NAME_A_MAILBOX = "name a mailbox that is read, such as support-ops@acme.example"

_ADDRESS = re.compile(r"[^@\s\x00-\x1f<>,;\"]+@[^@\s\x00-\x1f<>,;\"]+\.[^@\s\x00-\x1f<>,;\".]+")


def is_address(text: str) -> bool:
    """Whether a text is one plain e-mail address."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def checked_address(text: str, *, field: str) -> str:
    """The address without the blanks around it. Raises Refused where it is none."""
    address = text.strip()
    if not is_address(address):
        problem = f"{shorten(repr(text[:LONGEST_ADDRESS]))} is no e-mail address"
        raise Refused(problem, field=field, fix=NAME_A_MAILBOX)
    return address
