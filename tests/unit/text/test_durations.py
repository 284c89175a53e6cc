from __future__ import annotations

import pytest

from orchestrator.domain.text.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 0.25), ("5s", 5), ("15m", 900), ("1h", 3600), ("72h", 259_200), ("3d", 259_200)],
)
def test_a_duration_is_a_whole_number_with_its_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["5", "", "s", "-5s", "1.5h", "5 s", "5S", "1w", "1h30m", "\u0665s"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)
