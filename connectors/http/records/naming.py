"""What an answer says about a record: its id, where people find it, and how its state is called."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

from connectors.definition.origins import Origin
from connectors.definition.paths import Unreadable, as_text, dig_or_none, record_id_at, shown, steps
from connectors.http.answers import parse
from connectors.http.placeholders.values import ABSENT, Unfillable, Values
from connectors.http.templates import compile_text, names_key
from connectors.http.wire.exchange import Answer

_ADDRESSES = frozenset({"location", "content-location"})
_LONGEST_ID, _LONGEST_URL, _LONGEST_VERSION = 500, 2_000, 500


class Naming:
    """One thing that answers say about a record, compiled."""

    def __init__(self, said: Origin) -> None:
        self.names = frozenset[str]()  # the placeholders of what we know ourselves
        self.header = said.header
        self._at = None if said.at is None else steps(said.at)
        self._pattern = None if said.pattern is None else re.compile(said.pattern)
        self._value = None if said.value is None else compile_text(said.value)
        if self._value is not None:
            self.names = self._value.names
        self.by_key = names_key(self.names)

    def record_id(self, answer: Answer, values: Values) -> str:
        """The record's id. Raises Unreadable and Unfillable."""
        if self._at is not None:
            return record_id_at(parse(answer, shown(self._at)), self._at)
        found = self._known(values) if self._value else self._in_header(answer)
        if not found or len(found) > _LONGEST_ID or not found.isprintable():
            place = f"the answer's header {self.header}" if self.header else "what was sent"
            raise Unreadable(f"{place} has no record id")
        return found

    def url(self, answer: Answer, values: Values, *, asked: str) -> str | None:
        """Where people find the record, or None; `asked` is the address that gave the answer."""
        try:
            found = self._known(values) if self._value else self._said(answer, whole=True)
        except Unfillable:
            return None
        if not found or len(found) > _LONGEST_URL or not found.isprintable():
            return None
        try:
            url = urljoin(asked.partition("?")[0], found.strip())
            parts = urlsplit(url)
        except ValueError:
            return None
        plain = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        return url if plain else None

    def version(self, answer: Answer) -> str | None:
        """How the record's state is called, such as its ETag; None where nothing says it."""
        found = self._said(answer, whole=True)
        return found if found and len(found) <= _LONGEST_VERSION and found.isprintable() else None

    def version_in(self, item: object) -> str | None:
        """The same, of one item of a list."""
        return None if self._at is None else as_text(dig_or_none(item, self._at)) or None

    def _said(self, answer: Answer, *, whole: bool) -> str | None:
        if self._at is not None:
            try:
                return as_text(dig_or_none(parse(answer), self._at))
            except Unreadable:
                return None
        return self._in_header(answer, whole=whole)

    def _known(self, values: Values) -> str | None:
        found = self._value.fill(values) if self._value else None
        return None if found is None or found is ABSENT else str(found)

    def _in_header(self, answer: Answer, *, whole: bool = False) -> str | None:
        """A header's text; of an address, unless the `whole` is wanted, its last segment."""
        text = answer.headers.get(self.header or "")
        if text is None:
            return None
        if self._pattern is not None:
            match = self._pattern.search(text)
            return unquote(match[1] or "") if match else None
        if whole or (self.header or "").lower() not in _ADDRESSES:
            return text.strip()
        try:
            path = urlsplit(text.strip()).path
        except ValueError:
            return None
        return unquote(path.rstrip("/").rpartition("/")[2])
