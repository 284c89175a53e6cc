"""The incidents, one row per cause, and a page for each of them."""

from __future__ import annotations

import re
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.filled import RUNBOOK, Filled
from tests.dashboard.holding import hold
from tests.dashboard.page_text import linked_events, text_of
from tests.dashboard.rig import RunningFlower, running_flower

pytestmark = pytest.mark.processes


def linked_incidents(html: str) -> dict[str, str]:
    """The addresses of incidents by their titles."""
    found = re.findall(r'href="(/incidents/\d+)">([^<]*)<', html)
    return {title: address for address, title in found}


@pytest.mark.parametrize("page", ["/incidents", "/now"])
def test_each_incident_has_state_owner_and_deadline(flower: RunningFlower, page: str) -> None:
    html = flower.get(page).text

    shown = text_of(html)
    assert re.search(
        r"undeclared fields, `tier` is missing open triage@acme.example in 71h [-0-9:Z ]+"
        r"2 1 under way leads acme contract contract_violation",
        shown,
    )
    assert "crm: what is sent is refused" in linked_incidents(html)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("kind=destination", ["crm: what is sent is refused"]),
        ("reason=contract_violation&client=acme", ["undeclared fields, `tier` is missing"]),
        ("owner=triage@acme.example&kind=contract", ["undeclared fields, `tier` is missing"]),
        ("state=resolved", []),
        ("overdue=yes", []),
    ],
)
def test_the_list_of_incidents_is_narrowed(
    flower: RunningFlower, query: str, titles: list[str]
) -> None:
    html = flower.get(f"/incidents?{query}").text

    assert list(linked_incidents(html)) == titles
    assert titles or "No incident matches." in text_of(html)


@pytest.mark.parametrize(
    "query",
    ["state=lost", "kind=x", "reason=y", "overdue=no", "after=1-2", "owner=nobody@x.example"],
)
@pytest.mark.usefixtures("filled")
def test_a_filter_that_cannot_be_says_what_could(flower: RunningFlower, query: str) -> None:
    answer = flower.get(f"/incidents?{query}")

    assert answer.status_code == 400
    assert re.search(r"; (use|write) |did you mean", text_of(answer.text))


def test_an_incident_says_what_changed_where_it_stands_and_what_was_done(
    flower: RunningFlower, filled: Filled
) -> None:
    address = linked_incidents(flower.get("/incidents").text)[
        "undeclared fields, `tier` is missing"
    ]

    html = flower.get(address).text

    shown = text_of(html)
    assert "What changed" in shown
    assert "renamed: tier → customer_tier" in shown
    assert "contract: contract_violation at validate" in shown
    assert "open incident" in shown
    assert set(linked_events(html)) == {filled.renamed, filled.hostile}
    (link,) = re.findall(r'<a href="(https://wiki[^"]*)" rel="noreferrer noopener"', html)
    assert unescape(link) == RUNBOOK


@pytest.mark.parametrize("address", ["/incidents/4711", "/incidents/999999999999999999"])
def test_an_incident_that_is_not_there_is_said_to_be_so(
    flower: RunningFlower, address: str
) -> None:
    answer = flower.get(address)

    assert answer.status_code == 404
    assert "There is no such incident" in text_of(answer.text)


def test_nobody_sees_an_incident_without_the_login(flower: RunningFlower) -> None:
    assert flower.get("/incidents/1", login=False).status_code == 401


def test_what_is_held_is_an_incident_that_names_the_circuit(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        event_id = hold(store)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        overview = flower.get("/incidents").text
        page = flower.get("/incidents/1").text

    assert "crm: deliveries are held back" in linked_incidents(overview)
    assert f"{event_id} held at acme/leads/crm" in text_of(page)
    assert "Held now 1" in text_of(page)
