from __future__ import annotations

import json
import unicodedata

import pytest

from orchestrator.domain.text.visible import visible, visible_json, visible_lines

ODD = [
    *map(chr, [*range(0x20), *range(0x7F, 0xA0)]),  # C0, delete, C1
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",  # directions
    *"\u2028\u2029\u200b\ufeff\U000e0041",  # separators, and what has no width
]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_what_acts_or_misleads_is_written_out_and_says_the_same(odd: str) -> None:
    document = json.dumps({odd: f"a{odd}b"}, ensure_ascii=False, indent=1)
    shown = visible_json(document.encode()).decode() if ord(odd) > 0x1F else json.dumps(odd)

    assert odd not in visible(f"a{odd}b")
    assert odd not in shown or odd == "\n"
    if ord(odd) > 0x1F:
        assert json.loads(shown) == {odd: f"a{odd}b"}


@pytest.mark.parametrize("blank", "\u034f\u115f\u1160\u2800\u3164\uffa0\ufe0f\U000e0100", ids=ascii)
def test_what_is_printable_and_yet_draws_nothing_is_written_out(blank: str) -> None:
    document = json.dumps({f"tier{blank}": 1}, ensure_ascii=False)
    shown = visible_json(document.encode())

    assert visible(f"tier{blank}") == visible_lines(f"tier{blank}") != f"tier{blank}"
    assert blank not in visible(f"tier{blank}")
    assert blank not in shown.decode() and json.loads(shown) == {f"tier{blank}": 1}


def test_what_people_write_stays_as_it_is() -> None:
    text = "Ada Lovelace, Zoë, Łukasz, 雪, שלום, مرحبا, ✓ 🎉 ❤\ufe0f"

    assert all(unicodedata.category(one)[0] != "C" for one in text)
    assert visible(text) == visible_lines(text) == text
    assert visible_json(text.encode()) == text.encode()


def test_lines_stay_lines() -> None:
    assert visible_lines("one\ntwo\u202e\n") == "one\ntwo\\u202e\n"
    assert visible_json('{\n "a": "\u202e"\n}\n'.encode()) == b'{\n "a": "\\u202e"\n}\n'
