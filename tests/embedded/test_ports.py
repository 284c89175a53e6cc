"""A port is free, or somebody is told what to do."""

from __future__ import annotations

import socket

import pytest

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.ports import claim_port, free_port


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
