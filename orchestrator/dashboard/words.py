"""The store's values as HTML: commands, steps of advice, and what cannot be printed."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

from tornado.escape import to_unicode, xhtml_escape

from orchestrator.domain.text.visible import visible_lines
from orchestrator.presenting.moments import away, moment

_AS_IT_IS = re.compile("[ !#-%(-;=?-~]*")  # printable ASCII but for &, <, > and quotes
_NOTHING = "\N{EM DASH}"
_COMMAND = re.compile("`([^`]+)`")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\dZ)")


def escaped(value: str | bytes) -> str:
    """A value as HTML, with what cannot be printed written out, so that it is seen."""
    if isinstance(value, str) and _AS_IT_IS.fullmatch(value):  # nearly all of a page
        return value
    return xhtml_escape(visible_lines(to_unicode(value).expandtabs(4)))


def told_command(command: str) -> str:
    """A command as HTML: a line breaks between its words, never inside one such as `--plan`."""
    words = (f'<span class="events-word">{escaped(one)}</span>' for one in command.split(" "))
    return " ".join(words)


def told_step(do: str) -> str:
    """A step of advice as HTML, with the commands in it, in backticks, as code."""
    return _COMMAND.sub(
        lambda found: f"<code>{told_command(unescape(found[1]))}</code>", escaped(do)
    )


def or_nothing(value: object) -> str:
    """A value, or a dash where there is none."""
    return _NOTHING if value is None or value == "" else str(value)


def when(at: str | None, *, milliseconds: bool = False) -> str:
    """A time as HTML, in UTC; our script shows it in the viewer's zone too. A dash for none."""
    if not at:
        return _NOTHING
    return f'<time datetime="{escaped(at)}">{moment(at, milliseconds=milliseconds)}</time>'


def timed(sentence: str) -> str:
    """A sentence as HTML, in which each time that `moment` wrote is one that the script knows."""
    return _MOMENT.sub(
        lambda found: f'<time datetime="{found[1]}T{found[2]}">{found[0]}</time>', escaped(sentence)
    )


def distance(at: str, now: str) -> str:
    """How far a time is from now, both as the store says them."""
    return away(at, int(datetime.fromisoformat(now).timestamp() * 1000))
