"""One request of a definition, compiled once and filled for every call."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import orjson

from connectors.http.answer_signs import GoodAnswers
from connectors.http.definition import (
    Ask,
    Batch,
    Bodied,
    Lookup,
    Read,
    RequestKind,
    Search,
    Step,
    Undo,
    Write,
)
from connectors.http.placeholders.values import ABSENT, Unfillable, Values
from connectors.http.templates import Template, compile_path, compile_template, compile_text

_WITH_METHOD = Write | Batch | Search | Undo | Step
_NOTHING: Mapping[str, str] = {}
_FORM = "application/x-www-form-urlencoded"


class RequestTemplate:
    """A request without its values."""

    def __init__(self, name: str, said: Ask) -> None:
        self.name = name  # "create", "look-up", "read" …: as errors call it
        self.stage = _stage(name, said)
        self.creates = self.stage in (RequestKind.WRITE, RequestKind.STEP)
        self.absent_statuses = _absent_statuses(said)
        self.good = GoodAnswers(said.good)
        self.method = said.method.upper() if isinstance(said, _WITH_METHOD) else "GET"
        self._path = compile_path(said.path)
        self._query = [(name, compile_text(text)) for name, text in said.query.items()]
        self._headers = [(name, compile_text(text)) for name, text in said.headers.items()]
        body = said.body if isinstance(said, Bodied | Search) else None
        form = said.form if isinstance(said, Bodied) else None
        self._body: Template | None = None if body is None else compile_template(body)
        self._form = (
            None if form is None else [(name, compile_text(text)) for name, text in form.items()]
        )
        named = [*self._query, *self._headers, *(self._form or ())]
        whole = [self._path, *([] if self._body is None else [self._body])]
        found = [*whole, *(template for _, template in named)]
        self.names = frozenset[str]().union(*(one.names for one in found))  # its placeholders
        # Whether it says which state of the record it is meant for.
        self.guarded = "version" in self.names

    def target(self, values: Values, instead: Mapping[str, str] = _NOTHING) -> str:
        """Path and query, percent-encoded, with `instead` for values. Raises Unfillable."""
        path = str(self._path.fill(values))
        pairs = [pair for pair in _filled(self._query, values) if pair[0] not in instead]
        pairs += instead.items()
        return f"{path}?{urlencode(pairs, quote_via=quote, safe='')}" if pairs else path

    def headers(self, values: Values) -> dict[str, str]:
        """The headers of this request alone. Raises Unfillable."""
        headers = dict(_filled(self._headers, values))
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()) or value != value.strip():
                raise Unfillable(f"the header {name} cannot carry a value with such characters")
        if self._form is not None:
            headers.setdefault("Content-Type", _FORM)
        elif self._body is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers

    def body(self, values: Values) -> bytes | None:
        """The body, encoded, or None. Raises Unfillable."""
        if self._form is not None:
            return urlencode(_filled(self._form, values), encoding="utf-8").encode()
        if self._body is None:
            return None
        try:
            filled = self._body.fill(values)
            return orjson.dumps({} if filled is ABSENT else filled)
        except orjson.JSONEncodeError as error:
            raise Unfillable(f"its body cannot be written as JSON: {error}") from None


def _stage(name: str, said: Ask) -> RequestKind:
    if isinstance(said, Write | Batch):
        return RequestKind.WRITE
    if isinstance(said, Undo):
        return RequestKind.UNDO
    if isinstance(said, Step):
        return RequestKind.STEP
    return RequestKind.READ if name == "read" else RequestKind.LOOKUP


def _absent_statuses(said: Ask) -> tuple[int, ...]:
    """The statuses that say that there is no such record."""
    if isinstance(said, Lookup):
        return () if said.absent_status is None else (said.absent_status,)
    return _NOT_THERE if isinstance(said, Read | Undo) else ()


_NOT_THERE = (404, 410)


def _filled(templates: list[tuple[str, Template]], values: Values) -> list[tuple[str, str]]:
    """Names and texts; what names a field that was not sent is left out."""
    filled = ((name, template.fill(values)) for name, template in templates)
    return [(name, str(value)) for name, value in filled if value is not ABSENT]
