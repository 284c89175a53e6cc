"""The attributes of a CloudEvent, each by the type that its version gives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from orchestrator.domain.cloud_events.moments import is_moment
from orchestrator.domain.cloud_events.uris import is_absolute, is_reference
from orchestrator.domain.errors import InvalidTrigger
from orchestrator.domain.text.abbreviate import shorten

VERSIONS = ("1.0", "0.3")

SMALLEST, LARGEST = -(2**31), 2**31 - 1
"""The whole numbers that an attribute may be."""

_NAME = re.compile(r"[a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NONCHARACTERS = [
    chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
]
_NONCHARACTER = re.compile(f"[\ufdd0-\ufdef{''.join(_NONCHARACTERS)}]")
_WORD = r'[^\x00-\x20\x7f-\U0010ffff()<>@,;:\\"/\[\]?=]+'
_PARAMETER = rf'{_WORD}=(?:{_WORD}|"(?:[^"\\]|\\.)*")'
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:[ \t]*;(?:[ \t]*{_PARAMETER})?)*[ \t]*")

Check = Callable[[str], bool]
_Rule = tuple[Check, str, str]  # what fits, what is wrong otherwise, what to send


def declares_json(content_type: str) -> bool:
    """Whether a media type is JSON: of any type, with the subtype json or a suffix +json.

    >>> declares_json("Image/GLTF+JSON; charset=utf-8"), declares_json("text/plain")
    (True, False)
    """
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    if not kind or "/" in subtype:
        return False
    return subtype == "json" or (subtype.endswith("+json") and subtype != "+json")


def check_attributes(attributes: Mapping[str, object], version: str) -> None:
    """Hold all attributes against the specification of a version. Raises InvalidTrigger."""
    rules = _RULES[version]
    for name, value in attributes.items():
        _check_name(name)
        if name in rules:
            _check_text(name, value, rules[name])
        elif version == "1.0":  # 0.3 places no restriction on extensions
            _check_extension(name, value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name == "data":
        raise InvalidTrigger(
            "an attribute of this name is not allowed",
            field=shorten(name),
            fix="name it in lower-case letters and digits (CloudEvents: naming conventions)",
        )


def _check_text(name: str, value: object, rule: _Rule) -> None:
    if not isinstance(value, str):
        raise InvalidTrigger("it is not a text", field=name, fix=f"send {rule[2]}")
    if not value:
        raise InvalidTrigger("it is empty", field=name, fix=f"send {rule[2]}, or leave it out")
    _check_characters(name, value)
    fits, problem, fix = rule
    if not fits(value):
        raise InvalidTrigger(problem, field=name, fix=f"send {fix}")


def _check_characters(name: str, value: str) -> None:
    if _CONTROL.search(value) or _NONCHARACTER.search(value):
        raise InvalidTrigger(
            "it holds a control character or a noncharacter of Unicode",
            field=shorten(name),
            fix="leave it out (CloudEvents: type system, String)",
        )


def _check_extension(name: str, value: object) -> None:
    if isinstance(value, str):
        _check_characters(name, value)
        return
    if isinstance(value, bool) or (isinstance(value, int) and SMALLEST <= value <= LARGEST):
        return
    raise InvalidTrigger(
        "it is not a text, a truth value or a whole number of 32 bits",
        field=shorten(name),
        fix="send it as a text, or within `data`",
    )


def _any(_: str) -> bool:
    return True


_TEXT: _Rule = (_any, "", "a text")
_REFERENCE: _Rule = (
    is_reference,
    "it is not a URI reference",
    "one like /forms/contact, with what is not allowed there percent-encoded (RFC 3986)",
)
_SCHEMA: _Rule = (
    is_absolute,
    "it is not an absolute URI",
    "one like https://example.com/lead.json, without a fragment (RFC 3986, section 4.3)",
)
_TYPE: _Rule = (
    lambda text: _MEDIA_TYPE.fullmatch(text) is not None,
    "it is not a media type",
    "one like application/json",
)
_MOMENT: _Rule = (is_moment, "it is not a time", "one like 2026-04-05T17:31:00Z (RFC 3339)")

_BOTH = {
    "specversion": _TEXT,
    "id": _TEXT,
    "type": _TEXT,
    "source": _REFERENCE,
    "subject": _TEXT,
    "time": _MOMENT,
    "datacontenttype": _TYPE,
}
_RULES = {
    "1.0": {**_BOTH, "dataschema": _SCHEMA},
    "0.3": {**_BOTH, "schemaurl": _REFERENCE, "datacontentencoding": _TEXT},
}
