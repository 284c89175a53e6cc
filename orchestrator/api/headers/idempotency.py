"""The header `Idempotency-Key`: the key of one plain trigger, outside its body."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.datastructures import Headers

from orchestrator.api.triggers import LONGEST_KEY, read_text
from orchestrator.domain.errors import InvalidTrigger
from orchestrator.domain.event import Trigger

NAME = "Idempotency-Key"

_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def key_of(headers: Headers) -> str | None:
    """The key that the header gives, quoted as the IETF's draft has it or bare; None without one.

    Raises InvalidTrigger.

    >>> key_of(Headers({"idempotency-key": '"form-123"'}))
    'form-123'
    """
    given = headers.getlist(NAME)
    if not given:
        return None
    if len(given) > 1:
        raise InvalidTrigger("it comes twice", field=NAME, fix="send it once")
    text = given[0].strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        text = re.sub(r'\\(["\\])', r"\1", quoted[1])
    elif '"' in text:
        raise InvalidTrigger(
            "its quotes do not fit", field=NAME, fix=f'send `{NAME}: "KEY"`, or the key alone'
        )
    if not text.isascii():  # a header has no charset: two readers would make two keys of it
        raise InvalidTrigger(
            "it is not ASCII", field=NAME, fix="send the key as `idempotency_key` in the body"
        )
    return read_text({NAME: text}, NAME, LONGEST_KEY)


def with_key(trigger: Trigger, key: str | None) -> Trigger:
    """The trigger with the header's key. Raises InvalidTrigger where its body gives another."""
    if key is None or trigger.idempotency_key == key:
        return trigger
    if trigger.idempotency_key is not None:
        raise InvalidTrigger(
            "the body gives another key as `idempotency_key`",
            field=NAME,
            fix="send one key, in the header or in the body",
        )
    return replace(trigger, idempotency_key=key)


def refuse_key(key: str | None, why: str) -> None:
    """Raises InvalidTrigger for a key in the header where it would say nothing."""
    if key is not None:
        raise InvalidTrigger(why, field=NAME, fix="leave the header out")
