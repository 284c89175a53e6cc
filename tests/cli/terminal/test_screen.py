"""Texts, times and durations as the screen shows them."""

from __future__ import annotations

import json

import pytest
import typer

from orchestrator.cli.terminal.screen import put_json
from orchestrator.cli.terminal.selecting import moment_given
from orchestrator.domain.text.visible import visible

NOW = 1_763_917_200_000  # 2025-11-23T17:00:00Z


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace, pro ✓ 雪", "Ada Lovelace, pro ✓ 雪"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202eright to left", r"\u202eright to left"),
        ("\x9b31m", r"\x9b31m"),
        ("\udc80", r"\udc80"),
    ],
)
def test_nothing_that_commands_a_terminal_reaches_it(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_json_for_programs_commands_no_terminal_either(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    document = {"key": "a\u202eb\x9b31m\x7f\u2066", "\u200f": ["雪\n"]}

    put_json(document)

    out = capfdbinary.readouterr().out
    assert json.loads(out) == document
    assert b'"a\\u202eb\\u009b31m\\u007f\\u2066"' in out and "雪".encode() in out


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("2h ago", 7_200),
        ("3d", 259_200),
        ("2025-11-23T16:59:59Z", 1),
        ("2025-11-23T16:59:59", 1),
        ("2025-11-23T18:59:59+02:00", 1),
        ("2025-11-23", 61_200),
    ],
)
def test_a_moment_is_counted_back_or_read_as_utc(text: str, ago: int) -> None:
    assert moment_given(text, NOW, option="--since") == NOW - ago * 1000


@pytest.mark.parametrize("text", ["", "h", "-2h", "2 hours", "1.5h", "tomorrow", "2025-13-01"])
def test_what_is_no_moment_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a time"):
        moment_given(text, NOW, option="--since")


def test_no_moment_is_no_condition() -> None:
    assert moment_given(None, NOW, option="--since") is None
