"""The store's values as HTML: commands, steps of advice, and what cannot be printed."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

from tornado.escape import to_unicode, xhtml_escape

from orchestrator.domain.text.visible import visible_lines
from orchestrator.presenting.moments import away

_NOTHING = "\N{EM DASH}"
_COMMAND = re.compile("`([^`]+)`")


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


def distance(at: str, now: str) -> str:
    """How far a time is from now, both as the store says them."""
    return away(at, int(datetime.fromisoformat(now).timestamp() * 1000))
