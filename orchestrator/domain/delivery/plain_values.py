"""Plain values as tools keep them: nothing, texts, numbers, lists and telephone numbers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from decimal import Decimal

from orchestrator.domain.documents.strict_json import same_json
from orchestrator.domain.text.composing import composed

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# A few signs stand between the digits of a telephone number; a line ends it.
_TELEPHONE = re.compile(
    r"\(?\+?\(?[0-9]+(?:[ \t\u00a0\u2009\u202f().\-/\u2010-\u2015\u2212]{1,3}[0-9]+)*"
)
_DIGITS = range(3, 21)
_LONGEST_TELEPHONE = 60  # characters


def is_nothing(value: object) -> bool:
    """Whether a value is one of the ways of saying nothing: null, blanks, an empty list."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def plain_text(value: object) -> str | None:
    """A plain value's text, composed as Unicode's normal form C; None for lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value.isascii() else composed(value)
    return str(value) if isinstance(value, int | float) else None


def same_text(one: object, other: object) -> bool:
    """Whether both read alike; a number or a truth value may be kept as text.

    >>> same_text(12.5, "12.50"), same_text(True, "True"), same_text("049", 49)
    (True, True, False)
    """
    left, right = plain_text(one), plain_text(other)
    if left is None or right is None:
        return False
    if isinstance(one, str) and isinstance(other, str):
        return left == right
    if isinstance(one, bool) or isinstance(other, bool):
        return left.lower() == right.lower()
    if _JSON_NUMBER.fullmatch(left) and _JSON_NUMBER.fullmatch(right):
        return Decimal(left) == Decimal(right)
    return left == right


def same_number(one: object, other: object) -> bool:
    """Whether both are one number, however it is written."""
    number = _number(one)
    return number is not None and number == _number(other)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    return Decimal(text) if text.isascii() and _NUMBER.fullmatch(text) else None


def lines_of(text: str) -> str:
    """A text without white space around it and at the ends of its lines, its lines ended alike."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def same_lines(one: object, other: object) -> bool:
    """The same text, except white space around it and at the ends of its lines."""
    if same_text(one, other):
        return True
    left, right = plain_text(one), plain_text(other)
    return left is not None and right is not None and lines_of(left) == lines_of(right)


def same_caseless(one: object, other: object) -> bool:
    """The same lines, except upper and lower case; of a list, in any order."""
    left, right = plain_text(one), plain_text(other)
    if left is None or right is None:
        return False
    return _folded(left) == _folded(right)


def _folded(text: str) -> str:
    return composed(lines_of(text).casefold())


def same_members(one: object, other: object) -> bool:
    """The same members in any order; what was sent twice may be kept once."""
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    sent, kept = _by_kin(one), _by_kin(other)
    return sent.keys() == kept.keys() and all(_all_kept(sent[kin], kept[kin]) for kin in sent)


def _all_kept(sent: list[object], kept: list[object]) -> bool:
    left = list(sent)
    for member in kept:  # none is kept more often than it was sent
        at = next((place for place, mine in enumerate(left) if _same_member(mine, member)), None)
        if at is None:
            return False
        del left[at]
    return all(any(_same_member(mine, member) for member in kept) for mine in left)


def _same_member(one: object, other: object) -> bool:
    return same_json(one, other) or same_lines(one, other)


def _by_kin(members: list[object]) -> dict[object, list[object]]:
    """Members by what those that are the same have in common, lest each is held against each."""
    kin = defaultdict(list)
    for member in members:
        kin[_kin(member)].append(member)
    return kin


def _kin(member: object) -> object:
    text = plain_text(member)
    if text is None:
        return _hashable(member)
    word = lines_of(text).lower()
    return _spelled(Decimal(word)) if _JSON_NUMBER.fullmatch(word) else word


def _hashable(value: object) -> object:
    """A value of JSON that equals another where `same_json` does."""
    if isinstance(value, dict):
        return frozenset((name, _hashable(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    return (bool, value) if isinstance(value, bool) else value


def _spelled(number: Decimal) -> str:
    """One text of each number: hashes of numbers are alike where a sender wants them alike."""
    sign, digits, exponent = number.as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    short = written.rstrip("0")
    return f"{sign} {short} {int(exponent) + len(written) - len(short)}" if short else "0"


def same_labels(one: object, other: object) -> bool:
    """The same labels in any order and case; a space may be kept as _ or -."""
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    sent, kept = Counter(map(_label, one)), Counter(map(_label, other))
    return None not in sent and kept <= sent and kept.keys() == sent.keys()


def _label(value: object) -> str | None:
    text = plain_text(value)
    return None if text is None else re.sub(r"[\s_-]+", "_", _folded(text))


def same_telephone(one: object, other: object) -> bool:
    """The same digits, whatever is put between them; 00 before a country is +."""
    number = _telephone(one)
    return number is not None and number == _telephone(other)


def _telephone(value: object) -> str | None:
    text = plain_text(value)
    if text is None or isinstance(value, bool | float):
        return None
    number = text.strip()
    if len(number) > _LONGEST_TELEPHONE or not _TELEPHONE.fullmatch(number):
        return None
    digits = re.sub("[^0-9]", "", number)
    if "+" not in number and digits.startswith("00"):
        number, digits = "+", digits[2:]
    if len(digits) not in _DIGITS:
        return None
    return f"+{digits}" if "+" in number else digits
