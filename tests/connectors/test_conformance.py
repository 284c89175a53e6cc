"""The suite that every connector passes, ours as anybody's."""

from __future__ import annotations

from connectors.conformance import Conformance


class TestEveryConnector(Conformance):
    """Each `bench` of conftest.py: one connector with one destination."""
