"""CloudEvents 1.0 and 0.3 over HTTP: structured, binary and batched.

The source and id of an event are its idempotency key, the extension `client` names its client, and
its data, which must be JSON, is the payload. Other extensions are allowed and not kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from orchestrator.api.triggers import LONGEST_KEY, LONGEST_TYPE, as_object, make_trigger, read_text
from orchestrator.domain.cloud_events.attributes import VERSIONS, check_attributes, declares_json
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidTrigger
from orchestrator.domain.event import Trigger
from orchestrator.operations.access.keys import Caller
from orchestrator.settings import Settings

_PREFIX = b"ce-"
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_NO_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

Attributes = Mapping[str, object]
"""What an event says of itself, by name: JSON values, or texts where headers carry it."""


def read_structured(value: object, caller: Caller, config: Settings) -> Trigger:
    """The trigger of one event in the JSON format.

    Raises InvalidTrigger, InvalidJson, PayloadTooLarge, ClientNotPermitted.
    """
    # "a null value … MUST be treated as the equivalent of unset" (JSON format 1.0, section 2.2);
    # of the data it is a value.
    fields = {n: one for n, one in as_object(value).items() if one is not None or n == "data"}
    version = _version(fields)
    given = ["data"] if version == "0.3" else ["data", "data_base64"]
    attributes = {name: one for name, one in fields.items() if name not in given}
    check_attributes(attributes, version)
    return _trigger(attributes, _data_of(fields, version, config), caller)


def read_structured_batch(caller: Caller, config: Settings) -> Callable[[object], Trigger]:
    """What reads the events of one batch: all of one version (HTTP binding 1.0.2, section 3.3.2).

    What it answers raises as `read_structured`.
    """
    versions: list[object] = []

    def read_one(value: object) -> Trigger:
        version = as_object(value).get("specversion")
        versions.append(version)
        if version in VERSIONS and versions[0] in VERSIONS and version != versions[0]:
            raise InvalidTrigger(
                f"the batch begins with version {versions[0]}",
                field="specversion",
                fix="send the events of another version in a batch of their own",
            )
        return read_structured(value, caller, config)

    return read_one


def read_binary(headers: Headers, data: object, caller: Caller) -> Trigger:
    """The trigger of an event in binary mode. Raises InvalidTrigger, ClientNotPermitted."""
    attributes: dict[str, object] = {}
    for header, value in headers.raw:
        if header.startswith(_PREFIX):
            name = header.removeprefix(_PREFIX).decode("latin-1")
            if name in attributes:
                raise InvalidTrigger("it comes twice", field=f"ce-{name}", fix="send it once")
            attributes[name] = _header_text(name, value)
    if "datacontenttype" in attributes:
        raise InvalidTrigger(
            "in binary mode it is not a header of its own",
            field="ce-datacontenttype",
            fix="send it as Content-Type (CloudEvents HTTP binding, section 3.1.1)",
        )
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    version = _version(attributes)
    check_attributes(attributes, version)
    if version == "0.3" and "datacontentencoding" in attributes:
        raise _not_json("datacontentencoding")
    return _trigger(attributes, data, caller)


def _trigger(attributes: Attributes, data: object, caller: Caller) -> Trigger:
    return make_trigger(attributes, caller, data=data, key=_idempotency_key(attributes))


def _version(attributes: Attributes) -> str:
    version = read_text(attributes, "specversion", LONGEST_TYPE)
    if version not in VERSIONS:
        raise InvalidTrigger(
            f"CloudEvents {version!r} is not read here", field="specversion", fix="send 1.0 or 0.3"
        )
    return version


def _idempotency_key(attributes: Attributes) -> str:
    source = read_text(attributes, "source", LONGEST_KEY)
    # The space, which no source has, keeps two different pairs from making one key.
    key = f"{source} {read_text(attributes, 'id', LONGEST_KEY)}"
    if len(key) > LONGEST_KEY:
        raise InvalidTrigger(
            f"with the source it has {len(key)} characters",
            field="id",
            fix=f"keep source and id under {LONGEST_KEY} characters together",
        )
    return key


def _data_of(fields: Attributes, version: str, config: Settings) -> object:
    """The data of an event in the JSON format. Raises InvalidTrigger, InvalidJson."""
    declared = fields.get("datacontenttype")
    if isinstance(declared, str) and not declares_json(declared):
        raise _not_json("datacontenttype")
    if version == "1.0" and "data_base64" in fields:
        if "data" in fields:
            raise InvalidTrigger(
                "the event has `data` beside it", field="data_base64", fix="send one of them"
            )
        if declared is None:  # then "the decoding MUST NOT make an assumption of JSON"
            raise _not_json("data_base64")
        return _decoded(fields["data_base64"], "data_base64", config)
    if "data" not in fields:
        raise InvalidTrigger("it is missing", field="data", fix="send the payload as `data`")
    data, encoding = fields["data"], fields.get("datacontentencoding")
    # Of 0.3 alone, and to be ignored unless the data is a text; in 1.0 it is any extension.
    if version == "0.3" and isinstance(data, str) and isinstance(encoding, str):
        if encoding.lower() != "base64":
            raise _not_json("datacontentencoding")
        return _decoded(data, "data", config)
    return data


def _decoded(text: object, field: str, config: Settings) -> object:
    """The JSON that a text holds in base64. Raises InvalidTrigger, InvalidJson."""
    try:
        raw = base64.b64decode(
            text.encode("ascii") if isinstance(text, str) else b"-", validate=True
        )
    except (ValueError, binascii.Error):
        raise InvalidTrigger(
            "it is not base64",
            field=field,
            fix="encode it by RFC 4648, section 4, with its padding",
        ) from None
    return strict_json.loads(raw, max_depth=config.max_depth, most_values=config.max_values)


def _not_json(field: str) -> InvalidTrigger:
    return InvalidTrigger(
        "the data is not said to be JSON",
        field=field,
        fix="send JSON as `data`, with `datacontenttype` application/json or none",
    )


def _header_text(name: str, value: bytes) -> str:
    """An attribute as its header carries it: quoted or not, then percent-encoded UTF-8."""
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = re.sub(rb"\\(.)", rb"\1", quoted[1])
    try:
        text = value.decode("ascii")
        if not _NO_PERCENT.search(text):
            return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        pass
    raise InvalidTrigger(
        "it is not percent-encoded UTF-8",
        field=f"ce-{name}",
        fix="percent-encode % and what is not ASCII (CloudEvents HTTP binding, section 3.1.3.2)",
    ) from None
