"""The tab's first table has what stands still, one row a cause, and a page for each of them."""

from __future__ import annotations

import re
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.filled import RUNBOOK, Filled
from tests.dashboard.rig import RunningFlower, running_flower
from tests.dashboard.test_held_back import hold
from tests.dashboard.test_tab import linked_events, text_of

pytestmark = pytest.mark.processes


def linked_incidents(html: str) -> dict[str, str]:
    """The addresses of incidents by their titles."""
    found = re.findall(r'href="(/incidents/\d+)">([^<]*)<', html)
    return {title: address for address, title in found}


def test_incidents_come_first_with_side_owner_and_clock(flower: RunningFlower) -> None:
    html = flower.get("/events").text

    assert html.index('id="incidents"') < html.index('id="counts"')
    shown = text_of(html)
    assert "undeclared fields, `tier` is missing 2 1 under way contract contract_violation" in shown
    assert "open triage@acme.example" in shown
    assert "crm: what is sent is refused" in linked_incidents(html)


def test_an_incident_says_what_changed_where_it_stands_and_what_was_done(
    flower: RunningFlower, filled: Filled
) -> None:
    address = linked_incidents(flower.get("/events").text)["undeclared fields, `tier` is missing"]

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
        overview = flower.get("/events").text
        page = flower.get("/incidents/1").text

    assert "crm: deliveries are held back" in linked_incidents(overview)
    assert f"{event_id} held at acme/leads/crm" in text_of(page)
    assert "Held now 1" in text_of(page)
