"""A port is free, or somebody is told what to do."""

from __future__ import annotations

import socket

import pytest

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.ports import claim_port, claim_ports, free_port


def test_port_zero_becomes_a_port_that_can_be_listened_on() -> None:
    port = claim_port(0, setting="MESHLINE_PORT")

    with socket.create_server(("127.0.0.1", port)) as listener:
        assert listener.getsockname()[1] == port


def test_a_port_in_use_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]

        with pytest.raises(StartupFailed) as refused:
            claim_port(taken, setting="MESHLINE_PORT")

    assert f"port {taken} on 127.0.0.1 is in use" in str(refused.value)
    assert "MESHLINE_PORT" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_port_that_was_let_go_can_be_claimed_again() -> None:
    port = free_port()

    assert claim_port(port, setting="MESHLINE_PORT") == port


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(StartupFailed, match="MESHLINE_PORT"):
        claim_port(0, setting="MESHLINE_PORT", host="192.0.2.1")


@pytest.mark.parametrize("other", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_two_settings_with_the_same_port_are_named_in_one_line(other: str) -> None:
    port = free_port()

    with pytest.raises(StartupFailed) as refused:
        claim_ports(
            {"MESHLINE_PORT": ("127.0.0.1", port), "MESHLINE_FLOWER_PORT": (other, port)}, {}
        )

    assert str(refused.value) == (
        f"MESHLINE_PORT and MESHLINE_FLOWER_PORT both name port {port}: set one of them to another"
        " port (0 takes a free one)"
    )


def test_every_port_in_use_is_named_and_two_free_ones_are_never_the_same() -> None:
    anywhere = ("127.0.0.1", 0)
    free = claim_ports({"MESHLINE_PORT": anywhere, "MESHLINE_FLOWER_PORT": anywhere}, {})
    assert free["MESHLINE_PORT"] != free["MESHLINE_FLOWER_PORT"]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(StartupFailed) as refused:
            claim_ports(
                {
                    "MESHLINE_PORT": ("127.0.0.1", taken),
                    "MESHLINE_FLOWER_PORT": ("127.0.0.1", taken),
                },
                {},
            )

    assert str(refused.value).count("is in use") == 2


def test_a_port_that_an_address_already_names_is_refused_though_nobody_listens_there() -> None:
    port = free_port()

    with pytest.raises(StartupFailed) as refused:
        claim_ports({"MESHLINE_PORT": ("127.0.0.1", port)}, {"MESHLINE_BROKER_URL": {port}})

    both = f"MESHLINE_BROKER_URL and MESHLINE_PORT both name port {port}: "
    assert str(refused.value).startswith(both)
