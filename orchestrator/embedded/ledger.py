"""Asking the sandbox what it has: its own records, not our word for them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def read_ledger(url: str, token: str) -> list[Mapping[str, Any]]:
    """Every record of the sandbox, as GET /ledger gives them."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", "/ledger", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise OSError(f"the sandbox answers {answer.status}")
        records: list[Mapping[str, Any]] = body["records"]
        return records
    finally:
        connection.close()
