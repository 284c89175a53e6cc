"""TLS: nothing goes out before the server has shown that it is the one that we meant."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.domain.delivery.handoff import Failed
from tests.connectors.http.stub import WEBHOOK, Stub
from tests.connectors.rigs import hand, sent
from tests.self_signed import self_signed

Run = Callable[..., Any]


def test_a_server_that_never_greets_has_certainly_stored_nothing(run: Run) -> None:
    """The system takes the connection, and nobody answers where TLS should begin."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quick = WEBHOOK.replace("URL", f"https://127.0.0.1:{port}").replace("2s", "200ms")
        connector = Stub().connector(quick)

        outcome = run(hand(connector, sent(text="hi")))
        run(connector.close())

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert outcome.error == "hook: create: connecting took too long"


def test_nothing_goes_to_a_server_whose_certificate_nobody_vouches_for(
    run: Run, tmp_path: Path
) -> None:
    stub = Stub()
    run(stub.start(tls=self_signed(tmp_path)))
    connector = stub.connector(WEBHOOK)

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())
    run(stub.stop())

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert "certificate cannot be verified" in outcome.error
    assert stub.asked == []
