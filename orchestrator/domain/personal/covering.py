"""Personal values covered in sentences: of a contract, of a connector, of a person.

Nobody says of a sentence where its parts come from, so each value is looked for in it, also as it
is written in JSON or in an address, and also cut short. One that is too short to tell from our own
words is covered only where it is a whole text or in quotes; its place is masked elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from urllib.parse import quote

from orchestrator.domain.personal.masking import DOTS

MOST_VALUES = 5_000
"""Values that are looked for; where there are more, nothing of a sentence is shown."""

_BEGINNING = 12  # characters of a long value by which one that was cut short is known
_APART = 4  # characters under which a value is only covered as a word of its own
_MOST_DIGITS = 3  # a number with fewer is any count of ours
_IN_QUOTES = re.compile(r"""(["'`])(.{1,2})\1""")
_SAME_IN_JSON = re.compile(r"[ !#-\[\]-~]*")
_SAME_IN_ADDRESSES = re.compile(r"[A-Za-z0-9_.~-]*")
_COVER = f"{DOTS} (personal)"


class Cover:
    """Covers some values in any text."""

    def __init__(self, values: Iterable[str]) -> None:
        found = set(islice((one.strip() for one in values), MOST_VALUES + 1))
        self._all = len(found) > MOST_VALUES
        found.discard("")
        self._short = {one for one in found if _is_short(one)}
        found -= self._short
        spelled = {way for one in found for way in _ways(one)}
        values = sorted(spelled, key=lambda one: (-len(one), one))
        self._values = [(one, one.casefold()) for one in values]
        self._long: dict[str, list[str]] = {}  # by their beginning
        for one in values:
            if len(one) > _BEGINNING:
                self._long.setdefault(one[:_BEGINNING].casefold(), []).append(one)

    def text(self, text: str) -> str:
        """The text with DOTS where it has one of the values, or the beginning of a long one."""
        if self._all and text:
            return _COVER
        if self._short:
            text = self._without_short(text)
        folded = text.casefold()
        for value, wanted in self._values:
            if wanted in folded:
                text = _without(text, value)
                folded = text.casefold()
        for beginning, values in self._long.items():
            if beginning in folded:
                text = _without_cut(text, values)
                folded = text.casefold()
        return text

    def _without_short(self, text: str) -> str:
        if text.strip() in self._short:
            return DOTS
        return _IN_QUOTES.sub(
            lambda found: f"{found[1]}{DOTS}{found[1]}" if found[2] in self._short else found[0],
            text,
        )

    def value(self, value: object) -> object:
        """A value of JSON with all texts in it covered, names too, and numbers that are known."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            return value if text in self._short or self.text(text) == text else DOTS
        return value


def _is_short(value: str) -> bool:
    """Whether it is so short that our own words have it too, as "and 3 more"."""
    return len(value) == 1 or (len(value) < _MOST_DIGITS and value.isdigit())


def _ways(value: str) -> set[str]:
    """A value as it is written in JSON and in addresses."""
    ways = {value}
    if not _SAME_IN_JSON.fullmatch(value):
        ways |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    if not _SAME_IN_ADDRESSES.fullmatch(value):
        quoted = quote(value.encode(errors="replace"), safe="")
        ways |= {quoted, quoted.replace("%2F", "/"), quoted.replace("%20", "+")}
    return ways


def _without(text: str, value: str) -> str:
    whole = re.escape(value)
    pattern = whole if len(value) >= _APART else rf"(?<!\w){whole}(?!\w)"
    return re.sub(pattern, DOTS, text, flags=re.IGNORECASE)


def _without_cut(text: str, values: Sequence[str]) -> str:
    """The text without as much of these values, which begin alike, as is said of one of them."""
    begin = re.compile(re.escape(values[0][:_BEGINNING]), re.IGNORECASE)
    pieces, at = [], 0
    while found := begin.search(text, at):
        pieces += [text[at : found.start()], DOTS]
        at = max(_end(text, found.end(), value) for value in values)
    return "".join([*pieces, text[at:]])


def _end(text: str, at: int, value: str) -> int:
    """Where what is said of a value ends in a text, of which the beginning ends at `at`."""
    for wanted in value[_BEGINNING:]:
        if at == len(text) or text[at].casefold() != wanted.casefold():
            break
        at += 1
    return at
