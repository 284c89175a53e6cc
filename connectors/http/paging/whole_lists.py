"""When a list is whole, and where its next page is.

Only a whole list proves that a record is not there. A definition says how its tool shows that;
where it does not say so, an answer that hints at more, or a list that we filter, proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.definition.paths import as_text, dig_or_none, has, shown, steps
from connectors.http.definition import Lookup, More, NextPage
from connectors.http.paging.more_signs import flag_of_more, sign_of_more
from connectors.http.wire.exchange import Answer

MOST_ITEMS = 10_000  # of one look-up, on all its pages

_UNCOUNTED = 10**15  # more than any tool counts: then counts say nothing

# What tools write for a truth value; where one is asked for, anything else says nothing.
_TRUTHS = {
    "true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false",
}  # fmt: skip

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;]+)*)")
_RELATION = re.compile(r"""\brel\s*=\s*["']?([^"';]+)""", re.IGNORECASE)


class Unproven(Exception):
    """Raised when a list may go on and cannot be read on: what is not in it may still be there."""


@dataclass(frozen=True, kw_only=True)
class Onward:
    """Where the next page is: other query parameters, or an address that the answer has."""

    query: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer of a look-up that has not found its record so far."""

    answer: Answer
    document: object
    items: int  # on this page; none of them is the record
    listed: int  # items on all pages so far
    read: int  # the same, where one that came twice counts once
    number: int  # of the page, from 1
    came_by: Onward | None  # how it was asked for; None for the first


class WholeList:
    """What a definition says of its list."""

    def __init__(self, said: Lookup) -> None:
        self._one = said.items is None  # one record is asked for, and no list
        self._whole = said.whole
        self._unsaid = said.next is None and said.more is None and said.total is None
        self._next = said.next
        self._more = said.more
        self._total = None if said.total is None else steps(said.total)
        self._most_pages = said.pages

    def onward(self, page: Page) -> Onward | None:
        """The next page; None where the list is whole. Raises Unproven."""
        if self._one:
            return None
        if self._whole:
            _check_sign(sign_of_more(page.answer, page.document, _UNCOUNTED))
            return None
        if self._unsaid:
            _check_unsaid(page)
            return None
        return None if self._ends_with(page) else self._read_on(page)

    def _ends_with(self, page: Page) -> bool:
        if self._total is not None and page.read >= self._all_of(page):
            _check_sign(flag_of_more(page.answer, page.document))
            return True
        if self._more is not None:
            if _says_more(self._more, page.document):
                return False
            _check_sign(flag_of_more(page.answer, page.document))
            return True
        if self._total is not None or self._next is None:
            return False
        if self._next.page or self._next.offset:
            if not page.items:
                _check_sign(sign_of_more(page.answer, page.document, page.read))
            return not page.items
        if _named_next(self._next, page) is not None:
            return False
        # Where the next page should be named, nothing is; another sign may say that it is there.
        if sign := sign_of_more(page.answer, page.document, _UNCOUNTED):
            raise Unproven(f"the answer names no next page and says that there is more ({sign})")
        return True

    def _all_of(self, page: Page) -> int:
        at = self._total or ()
        text = as_text(dig_or_none(page.document, at)) or ""
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise Unproven(f"the answer has no number at {shown(at)}")
        if int(text) < page.items:
            raise Unproven(f"the answer has {text} at {shown(at)} and lists {page.items}")
        return int(text)

    def _read_on(self, page: Page) -> Onward:
        read = f"{page.read} were read"
        if self._next is None:
            raise Unproven(f"there are more than the answer lists; {read}")
        if page.number >= self._most_pages:
            raise Unproven(f"there are more than {self._most_pages} pages; {read}")
        if page.read >= MOST_ITEMS:
            raise Unproven(f"there are more than {MOST_ITEMS}; {read}")
        onward = _onward(self._next, page)
        if onward is None:
            raise Unproven(f"the answer says that there is more, and not where; {read}")
        if onward == page.came_by:
            raise Unproven(f"the next page is the same again; {read}")
        return onward


def linked(header: str | None, relation: str) -> str | None:
    """The address in a Link header that has this relation."""
    for address, parameters in _LINK.findall(header or ""):
        named = _RELATION.search(parameters)
        if named and relation.lower() in named[1].lower().split():
            return str(address)
    return None


def _check_unsaid(page: Page) -> None:
    """Nothing is read on without a word of the definition, and little is believed."""
    _check_sign(sign_of_more(page.answer, page.document, page.items))
    if page.items:
        what = "1 other record is" if page.items == 1 else f"{page.items} other records are"
        raise Unproven(f"{what} listed, and the definition does not say when a list is whole")


def _check_sign(sign: str | None) -> None:
    """An answer is believed before what its definition says of all answers. Raises Unproven."""
    if sign:
        raise Unproven(f"the answer says that there is more ({sign})")


def _onward(said: NextPage, page: Page) -> Onward | None:
    if said.page:
        first = 1 if said.first is None else said.first
        return Onward(query={said.page: str(first + page.number)})
    if said.offset:
        return Onward(query={said.offset: str((said.first or 0) + page.listed)})
    found = _named_next(said, page)
    if found is None:
        return None
    return Onward(query={said.query: found}) if said.query else Onward(address=found)


def _named_next(said: NextPage, page: Page) -> str | None:
    """What the answer has for the next page: a mark, or an address."""
    if said.link:
        return linked(page.answer.headers.get("Link"), said.link)
    at = said.url if said.at is None else said.at
    text = as_text(dig_or_none(page.document, steps(at or "")))
    return None if text in (None, "", "false") else text


def _says_more(said: More, document: object) -> bool:
    at = steps(said.at)
    if not has(document, at):
        raise Unproven(f"the answer has nothing at {shown(at)}")
    found = dig_or_none(document, at)
    if said.wanted is None:
        return bool(found)
    wanted = {_folded(one) for one in said.wanted}
    word = _folded(found)
    if wanted <= {"true", "false"}:
        word = _TRUTHS.get(word or "")
    if word is None:
        raise Unproven(f"what the answer has at {shown(at)} does not say whether there is more")
    return word in wanted


def _folded(value: object) -> str | None:
    text = as_text(value)
    return None if text is None else text.strip().casefold()
