"""What a worker makes of a message before anything else does: drive it, drop it, or bury it.

A message of this release names a task of ours and carries `[ids, epoch]`. One that names a task
`meshline.…` and an epoch, and does not fit otherwise, is another release's: it is dropped, because
the store drives its events again when their lease ends. Every other message is poison. Nothing is
left to Celery that could surprise it.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Collection, Sized
from dataclasses import dataclass
from typing import Any

from kombu.exceptions import ContentDisallowed, DecodeError

from workers.guard.messages import CompressedMessage

OURS = "meshline."
MOST_BODY_BYTES = 262_144
"""The largest body that is read. One of 1,000 events, the most in a group, has 36,000."""
MOST_ITEM_BYTES = 2 * MOST_BODY_BYTES
"""The largest item of a Redis list that is read: a body in base64, headers, and the rest."""

_MOST_IDS = 1_000  # events in a group, see the settings
_LONGEST_ID = 64  # characters
_MOST_LINKS = 2  # route and dispatch
_LARGEST_EPOCH = 2**63 - 1  # what the store's column holds


@dataclass(frozen=True, kw_only=True)
class Drop:
    """The message is another release's."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Poison:
    """Nobody can read the message."""

    error: str


def fault_in_message(message: Any, tasks: Collection[str]) -> Drop | Poison | None:
    """What is wrong with a Kombu message, or None; `tasks` are those that this worker has."""
    headers = message.headers
    if fault := _fault_in_headers(headers) or _fault_in_encoding(message.content_encoding):
        return Poison(error=fault)
    if len(message.body or b"") > MOST_BODY_BYTES:
        size = len(message.body)
        return Poison(error=f"its body has {size} bytes, ours at most {MOST_BODY_BYTES}")
    try:
        body = message.payload
    except ContentDisallowed:
        kind = shown(message.content_type)
        return Poison(error=f"its content type is {kind} and not application/json")
    except Exception as error:  # noqa: BLE001 - serializers raise what they like
        return Poison(error=f"its body cannot be decoded: {told(error)}")
    if fault := _fault_in_body(body):
        return Poison(error=fault)
    args, kwargs, embed = body
    name = headers["task"]
    if name in tasks and name.startswith(OURS):
        fault = _fault_in_arguments(args, kwargs) or _fault_in_chain(embed, tasks)
    else:
        fault = f"no task {shown(name)} is known here"
    if fault and name.startswith(OURS) and _epoch_of(args, kwargs) is not None:
        return Drop(why=fault)
    return Poison(error=fault) if fault else None


# What Celery acts on, with what a message of ours has there; None where it is left out.
_KINDS: dict[str, Any] = {
    **dict.fromkeys(("shadow", "root_id", "parent_id", "group", "argsrepr", "kwargsrepr"), str),
    **dict.fromkeys(("retries", "group_index", "replaced_task_nesting"), int),
    "ignore_result": bool,
}
_NEVER = ("eta", "expires", "stamped_headers")


_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")


def shown(value: object) -> str:
    """A stranger's value as a log may hold it: a plain word as it is, of all else only the kind.

    The dead letter keeps the message itself; a log keeps nobody's address.
    """
    if value is None or isinstance(value, bool | int | float):
        return f"{value!r:.80}"
    if isinstance(value, str):
        return repr(value) if _PLAIN.fullmatch(value) else f"a text of {len(value)} characters"
    kind = "an object" if isinstance(value, dict) else "a list"
    return f"{kind} of {len(value)}" if isinstance(value, Sized) else f"a {type(value).__name__}"


def told(error: Exception) -> str:
    """A library's error: its words where they name a place in the message, else only its kind."""
    inner = error.args[0] if isinstance(error, DecodeError) and error.args else error
    if isinstance(inner, _OF_PLACES):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


_OF_PLACES = (
    json.JSONDecodeError,
    UnicodeDecodeError,
    binascii.Error,
    RecursionError,
    CompressedMessage,
)


def is_deep(value: Any, *, left: int = 32) -> bool:
    """Whether lists and objects are nested deeper than in any message of ours."""
    if not isinstance(value, dict | list | tuple):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(is_deep(one, left=left - 1) for one in inner)


def _fault_in_headers(headers: dict[str, Any]) -> str | None:
    if is_deep(headers):
        return "its headers are nested too deep"
    if not isinstance(headers.get("task"), str):
        return "its headers name no task"
    if not isinstance(headers.get("id"), str) or not headers["id"]:
        return "its headers have no id"
    for name in _NEVER:
        if headers.get(name) is not None:
            return f"its header {name} is set, and none of ours has one: {shown(headers[name])}"
    if headers.get("stamps") not in (None, {}):
        return "its header stamps is set, and no message of ours has one"
    for name, kind in _KINDS.items():
        if not isinstance(headers.get(name), kind | None):
            return f"its header {name} is of the wrong kind: {shown(headers[name])}"
    if not _is_timelimit(headers.get("timelimit")):
        return f"its header timelimit is not a pair: {shown(headers['timelimit'])}"
    return None


def _is_timelimit(value: Any) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(one is None or _is_seconds(one) for one in value)
    )


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9


def _fault_in_encoding(encoding: str | None) -> str | None:
    # Kombu decodes JSON as UTF-8 whatever is said here.
    if encoding is None or encoding.lower() in {"utf-8", "us-ascii", "ascii"}:
        return None
    return f"its encoding is {shown(encoding)} and not utf-8"


def _fault_in_body(body: Any) -> str | None:
    if not isinstance(body, list | tuple) or len(body) != 3:
        return "its body is not [args, kwargs, embed]"
    args, kwargs, embed = body
    if not isinstance(args, list | tuple):
        return "its arguments are not a list"
    if not isinstance(kwargs, dict):
        return "its named arguments are not an object"
    if not isinstance(embed, dict | None):
        return "what is embedded in its body is not an object"
    return None


def _fault_in_arguments(args: Any, kwargs: dict[str, Any]) -> str | None:
    if len(args) != 2 or kwargs:
        return "its arguments are not ids and an epoch"
    ids, epoch = args
    if not isinstance(ids, list) or not all(
        isinstance(one, str) and "\0" not in one for one in ids
    ):
        return "its ids are not texts"
    if len(ids) > _MOST_IDS or any(len(one) > _LONGEST_ID for one in ids):
        return f"its ids are over {_MOST_IDS}, or longer than {_LONGEST_ID} characters"
    return None if _is_epoch(epoch) else "its epoch is not a number"


def _fault_in_chain(embed: dict[str, Any] | None, tasks: Collection[str]) -> str | None:
    if embed is None:
        return None
    for name in ("callbacks", "errbacks", "chord"):
        if embed.get(name):
            return f"it has {name}"
    links = embed.get("chain") or []
    if not isinstance(links, list):
        return "its chain is not a list"
    if len(links) > _MOST_LINKS:
        return f"its chain has {len(links)} links, ours at most {_MOST_LINKS}"
    for link in links:
        task = link.get("task") if isinstance(link, dict) else None
        if not isinstance(task, str) or task not in tasks:
            return "its chain has a link that is not a task here"
    return None


def _epoch_of(args: Any, kwargs: dict[str, Any]) -> int | None:
    epoch = kwargs.get("epoch", args[1] if len(args) > 1 else None)
    return epoch if _is_epoch(epoch) else None


def _is_epoch(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_EPOCH
