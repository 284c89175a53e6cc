"""What a regular expression of a contract costs on a text, computed from its form beforehand.

The validator hands most expressions to an engine that takes one pass. One with a look-around, a
backreference or the like goes to another, which may go back BACKTRACKS times before it gives up.
"""

from __future__ import annotations

import re
from enum import IntEnum

BACKTRACKS = 100_000
"""How often the validator goes back in one text before it gives up."""

_CHARACTERS_A_STEP = 8  # that the engine reads in the time of one step


class Effort(IntEnum):
    """How the time of an expression grows with the length of its text."""

    LINEAR = 0  # one pass, or one for each look-ahead at its beginning
    SQUARE = 1  # one pass from each character
    BACKTRACKING = 2  # as often as it may go back


_ESCAPED = re.compile(r"\\[\\\[\]()*+{}?]|\\[pPxuU]\{[^{}]*\}")  # \p{L} has no repetition in it
_SET = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]")
_LOOK = re.compile(r"\(\?<?[=!]")
_HARDER = re.compile(r"\(\?(?:[>(]|P=)|\\[1-9kGK]|[*+?}]\+")
_LOOKS_FIRST = re.compile(r"\^?(?:\(\?[=!](?:[^()\\]|\\.|\((?:\?:)?(?:[^()?\\]|\\.)*\))*\))+")
_REPEATED = re.compile(r"[*+]|\{\d+,?\d*\}|\{,\d+\}")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{)")


def effort_of(pattern: str) -> Effort:
    """The class that an expression belongs to; where that cannot be seen, the dearer one."""
    plain = _SET.sub("s", _ESCAPED.sub("e", pattern))
    if _HARDER.search(plain):
        return Effort.BACKTRACKING
    looks = list(_LOOK.finditer(plain))
    if not looks:
        return Effort.LINEAR
    first = _LOOKS_FIRST.match(plain)
    if first and not _LOOK.search(plain, first.end()):
        return Effort.LINEAR if plain.startswith("^") else Effort.SQUARE
    before = plain[: looks[-1].start()]
    if _REPEATED.search(before) or _REPEATED_GROUP.search(plain):
        return Effort.BACKTRACKING
    return Effort.SQUARE


def steps_on(effort: Effort, length: int) -> int:
    """The most steps that an expression of this class takes on a text of `length` characters."""
    if effort == Effort.LINEAR:
        return 1 + length // _CHARACTERS_A_STEP
    if effort == Effort.SQUARE:
        return 1 + length * length // 4
    backtracks = BACKTRACKS if length > 16 else 1 << length
    return backtracks * (10 + length // 4)
