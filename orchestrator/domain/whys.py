"""Why a person acts: one rule for the command line, pages and HTTP.

An act against the normal course (a pause, a discard, an erasure) needs a reason. An act that
explains itself may have one. A reason that is given is never blank.
"""

from __future__ import annotations

from orchestrator.domain.errors import Refused


def needed_why(why: str, act: str) -> str:
    """The reason in one piece, for an act that needs one; `act` is such as `a pause`.

    Raises Refused for a blank one.
    """
    if _is_blank(why):
        raise Refused(f"{act} needs a reason", field="why", fix="say why you do it")
    return why.strip()


def optional_why(why: str | None) -> str | None:
    """The reason in one piece, or None where none was given. Raises Refused for a blank one."""
    if why is None:
        return None
    if _is_blank(why):
        raise Refused("the reason is blank", field="why", fix="say why you do it")
    return why.strip()


def _is_blank(text: str) -> bool:
    """Whether nobody could read it: spaces, line breaks, characters without a width."""
    return not any(one.isprintable() and not one.isspace() for one in text)
