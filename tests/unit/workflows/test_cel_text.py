from __future__ import annotations

import pytest

from orchestrator.domain.workflows.cel.text import calls, data_paths, names, plain_path, tokens


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("data.email", ["data.email"]),
        ("data . a . b", ["data.a.b"]),
        ('data["first-name"].x', ['data["first-name"].x']),
        ('data.email.startsWith("data.x")', ["data.email"]),
        ("data.items[0].sku + data.b // data.c", ["data.items", "data.b"]),
        (r"""r"\" + data.x + 'it\'s data.y' + '''data.z'''""", ["data.x"]),
        ("size(data.tags) > 1 ? data.a : data.b", ["data.tags", "data.a", "data.b"]),
        ("metadata.x + x.data.y", []),
        ("data", ["data"]),
        ("data.tags.exists(tag, tag == data.tag)", ["data.tags", "data.tag"]),
        ("{data.a: data.b}", ["data.a", "data.b"]),
    ],
)
def test_paths_into_the_payload_are_found_and_text_is_left_alone(
    text: str, paths: list[str]
) -> None:
    assert [path.text for path in data_paths(tokens(text))] == paths


def test_steps_written_with_brackets_are_steps_and_known_from_dotted_ones() -> None:
    (path,) = data_paths(tokens("data.a['b c'].d"))

    assert path.steps == ("a", "b c", "d")
    assert path.dotted == 1


@pytest.mark.parametrize("text", ["data", "data.a", 'data["a b"].c', "data.a // why"])
def test_nothing_but_a_path_is_a_plain_path(text: str) -> None:
    assert plain_path(tokens(text)) is not None


@pytest.mark.parametrize(
    "text", ["data.a + data.b", "(data.a)", "data.a[0]", "data.a.size()", "x", ""]
)
def test_anything_more_is_not(text: str) -> None:
    assert plain_path(tokens(text)) is None


def test_names_are_neither_fields_nor_functions_nor_text() -> None:
    words = tokens('size(tier) > 3 && m.field == "seats" && other.startsWith(email)')

    assert names(words) == {"tier", "m", "other", "email"}
    assert calls(words, "size", "tier")
    assert not calls(words, "size", "email")
    assert not calls(words, "startsWith", "email")
