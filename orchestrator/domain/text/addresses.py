"""What counts as a mail address: by one validator, for people in files and for mail we send.

It knows nothing of DNS here: an address is judged by how it is written.
"""

from __future__ import annotations

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.abbreviate import shorten

LONGEST_ADDRESS = 254  # characters
NAME_A_MAILBOX = "name a mailbox that is read, such as support-ops@acme.example"


def is_address(text: str) -> bool:
    """Whether a text is one plain address at a domain with a dot, as a person has it."""
    return "." in text.rpartition("@")[2] and _is_written_right(text, ascii_only=False)


def is_mailable(text: str) -> bool:
    """Whether a text is one plain ASCII address, as a mail server takes it; root@localhost is."""
    return text.isascii() and _is_written_right(text, ascii_only=True)


def in_small_letters(address: str) -> str:
    """An address as people are found by; one whose letters would become another's stays.

    >>> in_small_letters("Ops@ACME.example"), in_small_letters("des\u212a@acme.example")
    ('ops@acme.example', 'des\u212a@acme.example')
    """
    small = address.lower()  # of the sign for Kelvin it makes a plain k
    return small if small.isascii() == address.isascii() else address


def checked_address(text: str, *, field: str) -> str:
    """The address without the blanks around it. Raises Refused where it is none."""
    address = text.strip()
    if not is_address(address):
        problem = f"{shorten(repr(text[:LONGEST_ADDRESS]))} is not an e-mail address"
        raise Refused(problem, field=field, fix=NAME_A_MAILBOX)
    return address


def _is_written_right(text: str, *, ascii_only: bool) -> bool:
    # Loaded here: 20 ms, which a command that looks at no address need not spend.
    import email_validator

    if len(text) > LONGEST_ADDRESS or not text.isprintable():
        return False
    # A company's own network may well end in .local; that a domain is reserved is not a fault here.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        email_validator.validate_email(
            text,
            allow_smtputf8=not ascii_only,
            globally_deliverable=False,
            check_deliverability=False,
        )
    except email_validator.EmailNotValidError:
        return False
    return True
