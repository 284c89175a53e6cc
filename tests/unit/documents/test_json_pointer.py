"""Places in a document, written as JSON Pointers and read again."""

from __future__ import annotations

import pytest

from orchestrator.domain.contracts.document import at_pointer
from orchestrator.domain.documents.json_pointer import json_pointer, pointer_steps


@pytest.mark.parametrize("steps", [[], [""], ["a", "0"], ["a/b", "~", "~1", "~01", "/~/"]])
def test_steps_are_read_as_they_were_written(steps: list[str]) -> None:
    assert pointer_steps(json_pointer(steps)) == steps


@pytest.mark.parametrize("step", ["\u00b2", "\u0663", "01", "-1", "9" * 5000, "3"])
def test_what_is_not_a_place_in_a_list_leads_nowhere(step: str) -> None:
    with pytest.raises(LookupError):
        at_pointer({"a": [1, 2, 3]}, f"/a/{step}")


def test_a_number_is_a_place_in_a_list() -> None:
    assert at_pointer({"a": [1, {"b/c": 2}]}, "/a/1/b~1c") == 2
