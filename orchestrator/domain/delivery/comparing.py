"""Whether a record says what was sent, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as a_field
from enum import StrEnum

from orchestrator.domain.delivery.chat_text import same_chat_text
from orchestrator.domain.delivery.html_text import same_html, shows_nothing
from orchestrator.domain.delivery.moments import same_day, same_moment
from orchestrator.domain.delivery.plain_values import (
    is_nothing,
    same_caseless,
    same_labels,
    same_lines,
    same_members,
    same_number,
    same_telephone,
    same_text,
)
from orchestrator.domain.delivery.telling_differences import ABSENT, told_difference
from orchestrator.domain.documents.strict_json import same_json


class Comparison(StrEnum):
    """What a tool may change about a value without changing what it says.

    Each word but `exact` takes null, a missing field, blanks and an empty list for one another.
    """

    EXACT = "exact"  # nothing: equal as JSON
    TEXT = "text"  # a number or a truth value kept as text
    NUMBER = "number"  # a number kept as text or otherwise written: "5.00" is 5
    TRIMMED = "trimmed"  # white space around a text, and how its lines end
    CASELESS = "caseless"  # the same, and upper and lower case
    HTML = "html"  # a text wrapped into markup: its lines stay
    MRKDWN = "mrkdwn"  # a chat tool's codes for emoji, links and & < >
    MOMENT = "moment"  # how a moment is written, and in which zone
    DATE = "date"  # how a day is written, and a time beside it
    PHONE = "phone"  # signs between the digits of a telephone number
    SET = "set"  # the order of a list, and repeats
    LABELS = "labels"  # the same, upper and lower case, and how a space is written


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that was stored otherwise than sent."""

    field: str
    sent: object
    stored: object
    absent: bool = a_field(default=False, compare=False)  # the record has no such field
    told: str = a_field(default="", compare=False)  # what differs, in words without a value

    @property
    def unreadable(self) -> bool:
        """Whether what is stored could not be read, so that nothing is known of it."""
        return _is_damaged(self.stored) and not _is_damaged(self.sent)


DAMAGED = "\ufffd"
"""Replaces in a text what could not be read of it."""

_AS_JSON: Mapping[str, Comparison] = {}
_NO_ZONES: Mapping[str, str] = {}

_Same = Callable[[object, object], bool]
_SAME: Mapping[Comparison, _Same] = {
    Comparison.EXACT: same_json,
    Comparison.TEXT: same_text,
    Comparison.NUMBER: same_number,
    Comparison.TRIMMED: same_lines,
    Comparison.CASELESS: same_caseless,
    Comparison.HTML: same_html,
    Comparison.MRKDWN: same_chat_text,
    Comparison.PHONE: same_telephone,
    Comparison.SET: same_members,
    Comparison.LABELS: same_labels,
}


def differences(
    sent: Mapping[str, object],
    stored: Mapping[str, object],
    confirm: tuple[str, ...],
    compare: Mapping[str, Comparison] = _AS_JSON,
    zones: Mapping[str, str] = _NO_ZONES,
) -> tuple[Difference, ...]:
    """The fields of `confirm` whose stored value is not the one that was sent.

    `compare` says, by field, what the tool may change; else values compare as JSON, and a field
    that the record lacks is a difference. `zones` names, by field, the zone of times that the tool
    writes without one.
    """
    found = []
    for name in confirm:
        if name not in sent:
            continue
        want, have = sent[name], stored.get(name, ABSENT)
        how, zone = compare.get(name, Comparison.EXACT), zones.get(name)
        if alike(want, have, how, zone):
            continue
        absent = have is ABSENT
        found.append(
            Difference(
                field=name,
                sent=want,
                stored=None if absent else have,
                absent=absent,
                told=_told(want, have, how, zone),
            )
        )
    return tuple(found)


def _is_damaged(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_is_damaged, value))
    return isinstance(value, str) and DAMAGED in value


def _told(want: object, have: object, how: Comparison, zone: str | None) -> str:
    moments = how in (Comparison.MOMENT, Comparison.DATE)
    told = told_difference(want, have, as_moments=moments, zone=zone)
    other = _word_that_takes(want, have, how)
    return f"{told}; alike as: {other}" if other else told


def alike(want: object, have: object, how: Comparison, zone: str | None = None) -> bool:
    """Whether both say the same, except what the tool may change."""
    if type(want) is type(have) is str and want == have:  # as nearly every field is
        return True
    if have is not ABSENT and same_json(want, have):
        return True
    if how is Comparison.EXACT:
        return False
    nothing = have is ABSENT or is_nothing(have)
    if is_nothing(want):
        return nothing or (how is Comparison.HTML and shows_nothing(have))
    if nothing:
        return False
    if how is Comparison.MOMENT:
        return same_moment(want, have, zone)
    if how is Comparison.DATE:
        return same_day(want, have, zone)
    return _SAME[how](want, have)


# The laxer words, the strictest first: what a definition may say where a tool keeps a value so.
_LAXER = (
    Comparison.TEXT,
    Comparison.TRIMMED,
    Comparison.NUMBER,
    Comparison.SET,
    Comparison.CASELESS,
    Comparison.LABELS,
    Comparison.MOMENT,
    Comparison.PHONE,
    Comparison.HTML,
    Comparison.MRKDWN,
)


def _word_that_takes(want: object, have: object, how: Comparison) -> str | None:
    """The first other word for which both say the same; where nothing is sent, none does."""
    return next((word for word in _LAXER if word is not how and alike(want, have, word)), None)
