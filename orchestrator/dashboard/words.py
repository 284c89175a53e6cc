"""The store's values as a page shows them: times, distances, details."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import unescape

from tornado.escape import to_unicode, xhtml_escape

from orchestrator.domain.text.abbreviate import abbreviate, shorten
from orchestrator.domain.text.visible import visible_lines

_NOTHING = "\N{EM DASH}"
_LONGEST_DETAIL = 300
_COMMAND = re.compile("`([^`]+)`")
_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def escaped(value: str | bytes) -> str:
    """A value as HTML, with what cannot be printed written out, so that it is seen."""
    return xhtml_escape(visible_lines(to_unicode(value).expandtabs(4)))


def told_command(command: str) -> str:
    """A command as HTML: a line breaks between its words, never inside one such as `--plan`."""
    words = (f'<span class="events-word">{escaped(one)}</span>' for one in command.split(" "))
    return " ".join(words)


def told_step(do: str) -> str:
    """A step of advice as HTML, with the commands that stand in it in backticks as code."""
    return _COMMAND.sub(
        lambda found: f"<code>{told_command(unescape(found[1]))}</code>", escaped(do)
    )


def or_nothing(value: object) -> str:
    """A value, or a dash where there is none."""
    return _NOTHING if value is None or value == "" else str(value)


def moment(iso: str | None, *, milliseconds: bool = False) -> str:
    """A time of the store, to the second or finer, in UTC; the pages say so once."""
    return _NOTHING if iso is None else f"{iso[:10]} {iso[11 : 23 if milliseconds else 19]}"


def distance(iso: str, now: str) -> str:
    """How far a time is from now, in its two largest units: `in 2 d 4 h`, `5 min 3 s ago`."""
    away = datetime.fromisoformat(iso) - datetime.fromisoformat(now)
    spelled = _spelled(abs(away))
    if not spelled:
        return "now"
    return f"in {spelled}" if away > timedelta(0) else f"{spelled} ago"


def _spelled(span: timedelta) -> str:
    parts: list[str] = []
    for name, unit in _UNITS:
        count, span = divmod(span, unit)
        if count or parts:
            parts.append(f"{count} {name}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 "))


def told(detail: Mapping[str, object] | None) -> str:
    """An audit row's detail on one line; of an amendment the paths, not the values."""
    return "; ".join(_told(name, value) for name, value in (detail or {}).items())


def _told(name: str, value: object) -> str:
    if name == "amendments" and isinstance(value, list):
        return ", ".join(_amendment(one) for one in value)
    return _plain(value) if name in ("detail", "why") else f"{name} {_plain(value)}"


def _amendment(change: Mapping[str, object]) -> str:
    to = f" to {change['to']}" if "to" in change else ""
    return f"{change['action']} {change['path']}{to}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, str):
        return shorten(value, _LONGEST_DETAIL)
    return abbreviate(value, _LONGEST_DETAIL)
