"""What a person changed in a text editor, as amendments that make it of what it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.documents.strict_json import same_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import apply_amendments
from orchestrator.domain.recipes.difference import amendments_between

KEYS = st.text("a/~.0", max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("a/~.0é", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_the_amendments_make_the_one_of_the_other(before: object, after: object) -> None:
    assert same_json(apply_amendments(before, amendments_between(before, after)), after)


def test_only_what_differs_is_amended() -> None:
    before = {"email": "a", "items": [{"sku": "x"}, {"sku": "y"}], "tags": ["a"], "seats": 1}
    after = {"email": "a", "items": [{"sku": "x"}, {"sku": "z"}], "tags": [], "seats": True}

    found = [(one.action, one.path, one.value) for one in amendments_between(before, after)]

    assert found == [("set", "/items/1/sku", "z"), ("set", "/tags", []), ("set", "/seats", True)]
    assert amendments_between(before, before) == ()


def test_another_document_is_refused() -> None:
    with pytest.raises(Refused, match="another document"):
        amendments_between({"a": 1}, [1])
