"""What a request's headers say of its body."""

from __future__ import annotations

import re
from enum import StrEnum

from starlette.datastructures import Headers

from orchestrator.api.problems import UnsupportedContent

_JSON = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json")


class Form(StrEnum):
    """The forms of a trigger. Each value is the media type that announces it."""

    PLAIN = "application/json"
    PLAIN_BATCH = "application/vnd.meshline.batch+json"
    STRUCTURED = "application/cloudevents+json"
    STRUCTURED_BATCH = "application/cloudevents-batch+json"
    BINARY = "with ce- headers: any JSON type"


BATCHES = (Form.PLAIN_BATCH, Form.STRUCTURED_BATCH)
"""The forms of which the body holds an array of triggers."""


def form_of(headers: Headers) -> Form:
    """The form that a request announces. Raises UnsupportedContent."""
    content_type = headers.get("content-type", "")
    kind = media_type(content_type)
    if kind in (Form.PLAIN_BATCH, Form.STRUCTURED, Form.STRUCTURED_BATCH):
        form = Form(kind)
    elif (is_json(kind) or not kind) and any(name.startswith("ce-") for name in headers):
        form = Form.BINARY
    elif kind == Form.PLAIN:
        form = Form.PLAIN
    else:
        said = f"{kind!r} is not read here" if kind else "the body's type is not said"
        raise UnsupportedContent(
            said, field="Content-Type", fix=f"send one of: {', '.join(list(Form)[:4])}"
        )
    _refuse_other_charsets(content_type)
    _refuse_packed(headers.get("content-encoding", "identity"))
    return form


def media_type(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a media type is JSON, as CloudEvents count it."""
    return _JSON.fullmatch(kind) is not None


def _refuse_other_charsets(content_type: str) -> None:
    for parameter in content_type.lower().split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedContent(
                f"the charset {value.strip()!r} is not read here",
                field="Content-Type",
                fix="encode the body as UTF-8",
            )


def _refuse_packed(encoding: str) -> None:
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedContent(
            f"the encoding {encoding!r} is not read here",
            field="Content-Encoding",
            fix="send the body as it is, not compressed",
        )
