"""Which words of a payload an event is found by."""

from __future__ import annotations

import pytest

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.words import MOST_WORDS, sought_words, words_of


def words(**payload: object) -> list[str]:
    return words_of(strict_json.dumps(payload))


def test_names_of_fields_and_values_are_words_each_once() -> None:
    found = words(customer_tier="Gold", email="Ada@example.com", seats=12, gold=True)

    assert found == ["customer", "tier", "gold", "email", "ada", "example", "com", "seats", "12",
                     "true"]  # fmt: skip


def test_an_escaped_character_parts_words_and_is_none() -> None:
    assert words(a='one\ntwo "three"\u0001four') == ["a", "one", "two", "three", "four"]


def test_letters_of_any_script_are_letters() -> None:
    assert words(name="Åse Straße \uff34okyo") == ["name", "åse", "strasse", "tokyo"]


def test_a_payload_without_end_has_so_many_words_and_no_more() -> None:
    found = words(a=" ".join(f"w{number}" for number in range(2 * MOST_WORDS)), b="x" * 1000)

    assert len(found) == MOST_WORDS


def test_a_word_without_end_is_known_by_its_beginning() -> None:
    assert words_of(f'"{"x" * 100}"') == list(sought_words("x" * 99))


def test_what_is_sought_is_taken_apart_in_the_same_way() -> None:
    assert sought_words("Ada@Example, GOLD") == ("ada", "example", "gold")


@pytest.mark.parametrize("text", ["", " ", '"*:&|', "_"])
def test_nothing_is_no_word(text: str) -> None:
    with pytest.raises(Refused, match="no letter and no digit"):
        sought_words(text)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(Refused, match="these are 11 words"):
        sought_words("a b c d e f g h i j k")
