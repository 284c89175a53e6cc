"""Letters and accents in one spelling, whatever a stranger piles on a letter."""

from __future__ import annotations

import unicodedata

import pytest

from orchestrator.domain.text.composing import composed
from orchestrator.domain.text.words import words_of


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Cafe\u0301 und Stra\u00dfe",
        "e\u0323\u0302\u0301" * 40,
        "\u304b\u3099" * 60,
        "\u1112\u1161\u11ab" * 60,
        "\uff76\uff9e" * 60,
        "\u2500" * 200 + "e\u0301",
        "\U0001f600\ufe0f" * 60,
    ],
)
def test_what_people_write_is_composed_as_unicode_composes_it(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)
    assert composed(text, "NFKC") == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize(
    "accents", [["\u0315" * 300_000, "\u0300" * 300_000], ["\u0300" * 49 + "\uff9e"] * 40_000]
)
def test_accents_without_end_on_one_letter_are_read_to_their_end(accents: list[str]) -> None:
    hostile = f'{{"a": "a{"".join(accents)} gold"}}'  # ordering all of them takes hours

    assert "gold" in words_of(hostile)
