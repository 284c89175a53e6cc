"""Asking the sandbox what it has: its own records, not our word for them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

_PAGE = 10_000  # records


def read_ledger(url: str, token: str) -> list[Mapping[str, Any]]:
    """Every record of the sandbox, as GET /ledger gives them."""
    records: list[Mapping[str, Any]] = _read(url, token, "/ledger")["records"]
    return records


def read_collection(url: str, token: str, collection: str) -> Iterator[Mapping[str, Any]]:
    """The sandbox's records of one kind, the oldest first, a page at a time."""
    after = 0
    while True:
        where = f"/ledger?collection={quote(collection, safe='')}&after={after}&count={_PAGE}"
        page = _read(url, token, where)
        yield from page["records"]
        after += _PAGE  # also where some of them are gone
        if not page["more"]:
            return


def _read(url: str, token: str, path: str) -> Mapping[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise OSError(f"the sandbox answers {answer.status}")
        found: Mapping[str, Any] = body
        return found
    finally:
        connection.close()
