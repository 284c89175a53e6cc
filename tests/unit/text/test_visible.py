from __future__ import annotations

import json
import unicodedata

import pytest

from orchestrator.cli.terminal.folding import cells
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


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", 6),  # Alireza, as Persian writes it
        ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", 2),  # Sri, as Sinhala writes it
        ("\U0001f469\u200d\U0001f467", 4),
    ],
    ids=ascii,
)
def test_a_joiner_stays_where_writing_needs_it(name: str, columns: int) -> None:
    document = json.dumps({name: 1}, ensure_ascii=False).encode()

    assert visible(name) == visible_lines(name) == name
    assert visible_json(document) == document
    assert cells(name) == columns


@pytest.mark.parametrize(
    "name", ["ti\u200cer", "ti\u200der", "\u0627\u200c\u0628", "\u06cc\u200c", "a\u200d\U0001f467"]
)
def test_a_joiner_that_joins_nothing_is_written_out(name: str) -> None:
    document = json.dumps({name: 1}, ensure_ascii=False).encode()

    assert not {"\u200c", "\u200d"} & set(visible(name) + visible_json(document).decode())
    assert json.loads(visible_json(document)) == {name: 1}
