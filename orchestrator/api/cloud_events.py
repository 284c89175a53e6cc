"""CloudEvents 1.0 and 0.3 over HTTP: structured, binary and batched.

The source and id of an event are its idempotency key, the extension `client` names its client, and
its data, which must be JSON, is the payload. Other extensions are allowed and not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import unquote_to_bytes

from cloudevents.core.exceptions import CloudEventValidationError, InvalidAttributeTypeError
from cloudevents.core.v03.event import CloudEvent as CloudEvent03
from cloudevents.core.v1.event import CloudEvent
from starlette.datastructures import Headers

from orchestrator.api.intake import is_json, media_type
from orchestrator.api.triggers import LONGEST_KEY, LONGEST_TYPE, as_object, make_trigger, read_text
from orchestrator.domain.errors import InvalidTrigger
from orchestrator.domain.event import Trigger
from orchestrator.operations.access.keys import Caller

_VERSIONS = {"1.0": CloudEvent, "0.3": CloudEvent03}
_PREFIX = b"ce-"

Attributes = Mapping[str, object]
"""What an event says of itself, by name: JSON values, or texts where headers carry it."""


def read_structured(value: object, caller: Caller) -> Trigger:
    """The trigger of one event in the JSON format. Raises InvalidTrigger, ClientNotPermitted."""
    attributes = dict(as_object(value))
    if "data_base64" in attributes:
        raise _not_json("data_base64")
    if "data" not in attributes:
        raise InvalidTrigger("it is missing", field="data", fix="send the payload as `data`")
    data = attributes.pop("data")
    # "a null value … MUST be treated as the equivalent of unset" (JSON format 1.0, section 2.2)
    present = {name: value for name, value in attributes.items() if value is not None}
    return _trigger(present, data, caller)


def read_binary(headers: Headers, data: object, caller: Caller) -> Trigger:
    """The trigger of an event in binary mode. Raises InvalidTrigger, ClientNotPermitted."""
    attributes: dict[str, object] = {}
    for header, value in headers.raw:
        if header.startswith(_PREFIX):
            name = header.removeprefix(_PREFIX).decode("latin-1")
            if name in attributes:
                raise InvalidTrigger("it comes twice", field=f"ce-{name}", fix="send it once")
            attributes[name] = _header_text(name, value)
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    return _trigger(attributes, data, caller)


def _trigger(attributes: Attributes, data: object, caller: Caller) -> Trigger:
    version = read_text(attributes, "specversion", LONGEST_TYPE)
    if version not in _VERSIONS:
        raise InvalidTrigger(
            f"CloudEvents {version!r} is not read here", field="specversion", fix="send 1.0 or 0.3"
        )
    key = _idempotency_key(attributes)
    _refuse_other_data(attributes)
    _check_attributes(attributes, version)
    return make_trigger(attributes, caller, data=data, key=key)


def _idempotency_key(attributes: Attributes) -> str:
    source = read_text(attributes, "source", LONGEST_KEY)
    if any(character.isspace() for character in source):
        raise InvalidTrigger(
            "it holds a space", field="source", fix="send a URI reference: percent-encode spaces"
        )
    # The space, which no source has, keeps two different pairs from making one key.
    key = f"{source} {read_text(attributes, 'id', LONGEST_KEY)}"
    if len(key) > LONGEST_KEY:
        raise InvalidTrigger(
            f"with the source it has {len(key)} characters",
            field="id",
            fix=f"keep source and id under {LONGEST_KEY} characters together",
        )
    return key


def _refuse_other_data(attributes: Attributes) -> None:
    content_type = attributes.get("datacontenttype", "application/json")
    if not isinstance(content_type, str) or not is_json(media_type(content_type)):
        raise _not_json("datacontenttype")
    if attributes.get("datacontentencoding", "") not in ("", "utf-8"):
        raise _not_json("datacontentencoding")


def _not_json(field: str) -> InvalidTrigger:
    return InvalidTrigger(
        "the data is not JSON",
        field=field,
        fix="send JSON as `data`, with `datacontenttype` application/json or none",
    )


def _check_attributes(attributes: Attributes, version: str) -> None:
    """Everything else that the specification asks of attributes, as its own library knows it."""
    checked = dict(attributes)
    if "time" in checked:
        checked["time"] = _moment(checked["time"])
    try:
        _VERSIONS[version](checked)
    except CloudEventValidationError as error:
        name, causes = next(iter(error.errors.items()))
        wrong_type = isinstance(causes[0], InvalidAttributeTypeError)
        problem = "it is not a text" if wrong_type else str(causes[0])
        raise InvalidTrigger(
            problem[:200], field=name[:60], fix=f"see the CloudEvents {version} specification"
        ) from None


def _moment(value: object) -> datetime:
    """The moment of the attribute `time`. Raises InvalidTrigger."""
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise InvalidTrigger(
        "it is not a time", field="time", fix="send one like 2026-04-05T17:31:00Z (RFC 3339)"
    )


def _header_text(name: str, value: bytes) -> str:
    """An attribute as its header carries it: quoted or not, then percent-encoded UTF-8."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        return unquote_to_bytes(value.decode("ascii")).decode()
    except UnicodeDecodeError:
        raise InvalidTrigger(
            "it is not percent-encoded UTF-8",
            field=f"ce-{name}",
            fix="percent-encode what is not ASCII (CloudEvents HTTP binding, section 3.1.3.2)",
        ) from None
