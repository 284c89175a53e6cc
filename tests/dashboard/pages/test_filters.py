"""The list's filters: from an address, and back into one."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from orchestrator.dashboard.filters import PageFilters, read_filters
from orchestrator.domain.errors import Refused


def read(**given: str) -> PageFilters:
    return read_filters(lambda name: given.get(name, ""))


def test_what_was_not_given_filters_nothing() -> None:
    assert read(state="", client="  ") == PageFilters()
    assert not read(before="0a", refresh="5").narrow


def test_what_was_given_is_taken_as_it_is() -> None:
    filters = read(state="quarantined", reason="no_route", text=" <b>&'\" ", refresh="5")

    assert (filters.state, filters.reason) == ("quarantined", "no_route")
    assert filters.text == "<b>&'\""
    assert filters.refresh == 5
    assert filters.narrow


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("state", "lost", "quarantined"),
        ("reason", "bad luck", "no_route"),
        ("refresh", "0", "1 to 3600"),
        ("refresh", "3601", "1 to 3600"),
        ("refresh", "-5", "1 to 3600"),
        ("refresh", "\u0665", "1 to 3600"),
        ("refresh", "9" * 5000, "1 to 3600"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could_be(name: str, value: str, fix: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**{name: value})

    assert refused.value.field == name
    assert fix in str(refused.value.fix)


def test_no_text_holds_a_nul_which_postgresql_would_refuse() -> None:
    assert read(text="a\0b").text == "a\ufffdb"


def test_the_next_page_keeps_every_filter() -> None:
    filters = read(client="a&b", workflow="<w>", refresh="15")

    assert parse_qs(filters.at(before="0a")) == {
        "client": ["a&b"], "workflow": ["<w>"], "refresh": ["15"], "before": ["0a"],
    }  # fmt: skip
    assert filters.at(before=None) == filters.at()
