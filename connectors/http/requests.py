"""One request of a definition, compiled once and filled for every call."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import orjson

from connectors.http.definition import Ask, Batch, Bodied, RequestKind, Search, Undo, Write
from connectors.http.templates import (
    ABSENT,
    Template,
    Unfillable,
    Values,
    compile_path,
    compile_template,
    compile_text,
)

_WITH_METHOD = Write | Batch | Search | Undo
_FORM = "application/x-www-form-urlencoded"


class RequestTemplate:
    """A request without its values."""

    def __init__(self, name: str, said: Ask) -> None:
        self.name = name  # "create", "look-up", "read" …: as errors call it
        self.stage = _stage(name, said)
        self.creates = self.stage is RequestKind.WRITE
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

    def target(self, values: Values) -> str:
        """Path and query, percent-encoded. Raises Unfillable."""
        path = str(self._path.fill(values))
        pairs = _filled(self._query, values)
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
    return RequestKind.READ if name == "read" else RequestKind.LOOKUP


def _filled(templates: list[tuple[str, Template]], values: Values) -> list[tuple[str, str]]:
    """Names and texts; what names a field that was not sent is left out."""
    filled = ((name, template.fill(values)) for name, template in templates)
    return [(name, str(value)) for name, value in filled if value is not ABSENT]
