"""A connector reaches the open internet, and nothing behind our own door unless it is told to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from connectors.http.wire.networks import (
    AddressRefused,
    is_metadata,
    is_public,
    reachable_socket,
    refused_behind_proxy,
)
from orchestrator.domain.delivery.handoff import Failed
from tests.connectors.http.stub import WEBHOOK, Stub
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]

GUARDED = WEBHOOK.replace("private_network: true\n", "")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "168.63.129.16",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "0.1.2.3",
        "239.255.255.250",
        "::ffff:168.63.129.16",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a83f:8110",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100::1",
        "3fff::1",
        "5f00::1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "nowhere",
        "",
    ],
)
def test_an_address_behind_a_door_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
def test_no_connection_is_made_to_an_address_that_is_not_public(run: Run, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        url = f"https://{host}:{inside.getsockname()[1]}"
        connector = Stub().connector(GUARDED.replace("URL", url))

        outcome = run(hand(connector, sent(text="hi")))
        run(connector.close())

        with pytest.raises(BlockingIOError):
            inside.accept()

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert outcome.error == (
        "hook: create: its address is not public, and only `private_network: true` allows that"
    )


def test_without_tls_nothing_goes_out_unless_it_is_allowed(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", stub.url)
    connector = stub.connector(GUARDED.replace("URL", "env:SITE"))

    outcome = run(hand(connector, sent(text="hi")))

    assert isinstance(outcome, Failed)
    assert "leads to an address that is not https" in outcome.error
    assert stub.asked == []


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "168.63.129.16", "::ffff:169.254.169.254", "fd00:ec2::254", "192.0.0.192"],
)
def test_nothing_is_sent_to_a_cloud_s_metadata_also_in_a_private_network(address: str) -> None:
    assert is_metadata(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with pytest.raises(AddressRefused, match="a cloud's own"):
        reachable_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize(
    "host", ["metadata.google.internal", "Metadata.Google.Internal.", "metadata"]
)
def test_behind_a_proxy_metadata_is_not_asked_for_by_its_name(run: Run, host: str) -> None:
    """This machine may not know where the name leads, and the proxy does."""
    refused = run(refused_behind_proxy(host, private_network=True))

    assert refused is not None
    assert "a cloud's own" in refused


def test_a_definition_that_allows_a_private_network_reaches_no_metadata(run: Run) -> None:
    connector = Stub().connector(WEBHOOK.replace("URL", "http://169.254.169.254"))

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "its address is a cloud's own" in outcome.error


def test_an_address_of_a_private_network_is_none_of_metadata() -> None:
    assert not is_metadata("10.0.0.1")
    assert not is_metadata("nowhere")
