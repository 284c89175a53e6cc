"""Trace context by the rules of the W3C: what is not valid is as if it were not there."""

from __future__ import annotations

import pytest

from orchestrator.domain.trace_context import read_trace

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WHOLE = f"00-{TRACE}-{PARENT}-01"


def test_a_valid_header_is_read_whole() -> None:
    found = read_trace(f" {WHOLE} ", "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE")

    assert found is not None and found.parent == WHOLE and found.sampled
    assert found.state == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"


@pytest.mark.parametrize(
    "header",
    [
        None,
        17,
        "",
        WHOLE.upper(),
        WHOLE[:-1],
        f"{WHOLE}-more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"01-{TRACE}-{PARENT}-01more",
    ],
)
def test_what_is_not_valid_is_passed_over(header: object) -> None:
    assert read_trace(header, "rojo=1") is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    found = read_trace(f"cc-{TRACE}-{PARENT}-ff-what-comes-later")

    assert found is not None and found.parent == WHOLE


MANY = ",".join(f"k{number}=1" for number in range(33))


@pytest.mark.parametrize("state", ["", "novalue", "a=1,a=2", "UPPER=1", "a=1\u00e9", MANY])
def test_a_bad_state_costs_the_state_alone(state: str) -> None:
    found = read_trace(WHOLE, state)

    assert found is not None and found.state is None


def test_a_state_that_is_too_long_loses_its_long_members_and_then_the_last() -> None:
    long, rest = "x" * 200, ",".join(f"k{number}={'y' * 60}" for number in range(9))

    found = read_trace(WHOLE, f"long={long},{rest}")

    assert found is not None and found.state is not None and len(found.state) <= 512
    assert found.state.startswith("k0=") and "k8" not in found.state and "long" not in found.state


def test_a_delivery_carries_the_trace_on_with_an_id_of_its_own() -> None:
    found = read_trace(WHOLE, "rojo=1")
    assert found is not None

    headers = found.headers_of("event.crm")

    carried = read_trace(headers["traceparent"], headers["tracestate"])
    assert carried is not None and carried.trace_id == TRACE and carried.state == "rojo=1"
    assert carried.parent_id != PARENT and headers == found.headers_of("event.crm")
    assert found.headers_of("event.desk") != headers
