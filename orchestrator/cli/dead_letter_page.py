"""One dead letter on the screen: what it is, why no worker can read it, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.advice import put_advice
from orchestrator.cli.terminal.screen import put, put_field
from orchestrator.domain.text.visible import visible
from orchestrator.presenting.dead_letters import steps_for, told_return
from orchestrator.presenting.moments import moment, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.store.views.quarantine.dead_letters import LetterView

_LONGEST = 2_000  # characters of a body that the screen shows


def put_letter(letter: LetterView, now: int) -> None:
    """The page of a dead letter; `now` in milliseconds. The body comes last, and indented.

    Whatever a stranger wrote into it, none of its lines reads like one of ours.
    """
    for name, value in _fields(letter, now):
        if value not in (None, ""):
            put_field(name, value)
    if letter.state == "standing":
        put_advice(steps_for(letter))
    _put_body(letter)


def _fields(letter: LetterView, now: int) -> list[tuple[str, object]]:
    headers = letter.headers
    return [
        ("dead letter", letter.id),
        ("state", letter.state),
        ("queue", letter.queue),
        ("task", letter.task),
        ("error", letter.error),
        ("came", moment_and_distance(letter.at, now)),
        ("returned", "".join(told_return(letter.returned))),
        ("recover by", _until(letter, now)),
        ("incident", letter.incident),
        ("content type", letter.content_type),
        ("encoding", letter.content_encoding),
        ("headers", None if headers is None else json.dumps(headers, ensure_ascii=False)),
        ("digest", letter.digest),
        ("cut from", letter.cut_from and f"{letter.cut_from} bytes"),
        (letter.state, letter.closed_at and f"{moment(letter.closed_at)}"),
        ("by", letter.closed_by),
        ("why", letter.why),
    ]


def _until(letter: LetterView, now: int) -> str | None:
    standing = letter.state == "standing" and letter.recover_by
    return moment_and_distance(letter.recover_by, now) if standing else None


def _put_body(letter: LetterView) -> None:
    known = letter.text
    text = letter.base64 if known is None else known
    put()
    put("body in base64" if known is None else "body")
    for line in text[:_LONGEST].split("\n"):
        put(f"  {visible(line)}")
    if len(text) > _LONGEST:
        put(f"… ({len(text)} characters, --json has all)")
