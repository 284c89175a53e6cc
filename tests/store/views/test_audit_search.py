"""The audit is searched in bounded looks, which together leave nothing out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert

from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import audit
from orchestrator.store.views.audit_search import AuditPage, AuditSought, search_audit

START = 1_796_000_000_000
HOUR = 3_600_000


@pytest.fixture
def written(store: Store) -> Store:
    """A row every hour for 300 hours; every hundredth is a person's."""
    rows = [
        {
            "at": START + number * HOUR,
            "client": "acme" if number % 2 else "bolt",
            "workflow": "leads",
            "event_id": f"e{number % 7}",
            "incident_id": number if number % 50 == 0 else None,
            "actor": "person:ada@acme.example/session" if number % 100 == 0 else "worker:1",
            "action": "trip" if number % 3 else "break",
        }
        for number in range(300)
    ]
    with store.write() as tx:
        tx.execute(insert(audit), rows)
    return store


def every(tx: Tx, *, limit: int = 7, most: int = 40, **sought: Any) -> list[int]:
    """The hours of all rows that hold, found page after page."""
    found: list[int] = []
    before = None
    for _ in range(300):
        page = search_audit(tx, AuditSought(before=before, **sought), limit=limit, most=most)
        found += [hour_of(one.at) for one in page.rows]
        if page.before is None:
            return found
        before = page.before
    raise AssertionError("the pages never end")


def hour_of(at: str) -> int:
    return (int(datetime.fromisoformat(at).timestamp() * 1000) - START) // HOUR


NEWEST_FIRST = range(299, -1, -1)


@pytest.mark.parametrize(
    ("sought", "hours"),
    [
        ({}, list(NEWEST_FIRST)),
        ({"actor": "person:ada@acme.example"}, [200, 100, 0]),
        ({"actor": "person:ada@acme.example/session"}, [200, 100, 0]),
        ({"actor": "person:ada"}, []),
        ({"actor": "person:ada%"}, []),
        ({"client": "bolt", "event_id": "e3"}, [n for n in NEWEST_FIRST if n % 14 == 10]),
        ({"incident": 150}, [150]),
        ({"action": "trip"}, list(NEWEST_FIRST)),
        ({"action": "break"}, [n for n in NEWEST_FIRST if n % 3 == 0]),
        ({"workflow": "leads", "client": "acme"}, [n for n in NEWEST_FIRST if n % 2]),
        ({"workflow": "others"}, []),
        ({"clients": frozenset({"acme"})}, [n for n in NEWEST_FIRST if n % 2]),
        ({"clients": frozenset({"acme"}), "client": "bolt"}, []),
        ({"clients": frozenset()}, []),
        ({"since": START + 290 * HOUR}, list(range(299, 289, -1))),
        ({"until": START + 3 * HOUR}, [2, 1, 0]),
        ({"since": START + 99 * HOUR, "until": START + 101 * HOUR}, [100, 99]),
        ({"since": START + 1_000 * HOUR}, []),
        ({"until": START - HOUR}, []),
    ],
    ids=str,
)
def test_pages_together_have_every_row_and_no_other(
    written: Store, sought: dict[str, Any], hours: list[int]
) -> None:
    with written.read() as tx:
        assert every(tx, **sought) == hours


def test_a_look_that_ends_before_the_page_is_full_says_how_far_back_it_was(
    written: Store,
) -> None:
    with written.read() as tx:
        page = search_audit(tx, AuditSought(actor="person:ada@acme.example"), limit=5, most=50)
        nobody = search_audit(tx, AuditSought(actor="nobody"), limit=5, most=50)

    assert page.rows == nobody.rows == ()
    assert page.before == nobody.before == 251
    assert page.looked_back_to and hour_of(page.looked_back_to) == 250


def test_an_index_needs_no_end_of_the_look(written: Store) -> None:
    with written.read() as tx:
        page = search_audit(tx, AuditSought(incident=50, client="bolt"), limit=5, most=10)

    assert [hour_of(one.at) for one in page.rows] == [50]
    assert (page.before, page.looked_back_to) == (None, None)


def test_an_empty_audit_has_no_page(store: Store) -> None:
    with store.read() as tx:
        for sought in (AuditSought(), AuditSought(since=1, until=2), AuditSought(actor="x")):
            assert search_audit(tx, sought, limit=5) == AuditPage(
                rows=(), before=None, looked_back_to=None
            )
