"""Acts on dead letters and alerts: shown first, then done, and refused where somebody was there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from orchestrator.domain.access.roles import EVERY_CLIENT
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.clocks.alert_views import SoughtAlerts, list_alerts
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.quarantine.dead_letters import LetterView, show_dead_letter
from tests.dashboard.access.desk import Somebody, add_operator, add_people, somebody
from tests.dashboard.page_text import text_of
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN

pytestmark = pytest.mark.processes

ADA = "ada@acme.example"
CHAINS = "meshline:meshline"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A Flower, what it shows, and its broker."""

    flower: RunningFlower
    store: Store
    peopled: Peopled
    broker: str

    def letter(self, number: int) -> LetterView:
        """One dead letter."""
        with self.store.read() as tx:
            found = show_dead_letter(tx, number)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[Desk]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        peopled = people(store)
        add_people(store)
        add_operator(store, ADA, "Ada", EVERY_CLIENT)
        with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
            yield Desk(flower=flower, store=store, peopled=peopled, broker=valkey.url)


@pytest.fixture
def admin(desk: Desk) -> Iterator[Somebody]:
    with somebody(desk.flower) as one:
        one.come_in(desk.store, ADMIN)
        yield one


def test_a_dead_letter_is_put_back_after_its_page_said_what_that_does(
    desk: Desk, admin: Somebody
) -> None:
    number = desk.peopled.open_letter
    page = f"/dead-letters/{number}"
    assert f"{page}/requeue" in admin.get(page).text

    shown = admin.post(f"{page}/requeue", {})
    assert shown.status_code == 200
    assert "goes back on the queue meshline, exactly as it was" in text_of(shown.text)
    assert desk.letter(number).state == "standing"

    with redis.Redis.from_url(desk.broker) as broker:
        before = broker.llen(CHAINS)
        done = admin.post(f"{page}/requeue", {"sure": "yes"})
        assert (done.status_code, done.headers["Location"]) == (303, page)
        assert broker.llen(CHAINS) == before + 1
        broker.delete(CHAINS)
    again = admin.post(f"{page}/drop", {"sure": "yes", "why": "no use"})

    letter = desk.letter(number)
    assert letter.state == "requeued"
    assert again.status_code == 409
    assert f"person:{ADMIN}/page requeued dead letter {number} at {letter.closed_at}" in text_of(
        again.text
    )
    assert "/requeue" not in admin.get(page).text


def test_a_dead_letter_is_dropped_with_a_reason_by_who_may(desk: Desk, admin: Somebody) -> None:
    number = desk.peopled.open_letter
    page = f"/dead-letters/{number}"
    with somebody(desk.flower) as ada:
        ada.come_in(desk.store, ADA)
        assert "/drop" not in ada.get(page).text
        assert ada.post(f"{page}/drop", {}).status_code == 403

    shown, blank = admin.post(f"{page}/drop", {}), admin.post(f"{page}/drop", {"sure": "yes"})
    assert (shown.status_code, blank.status_code) == (200, 400)
    assert "no worker tries it again" in text_of(shown.text)
    assert desk.letter(number).state == "standing"

    assert admin.post(f"{page}/drop", {"sure": "yes", "why": "junk"}).status_code == 303
    assert (desk.letter(number).state, desk.letter(number).why) == ("dropped", "junk")


def test_a_dead_letter_that_somebody_closed_is_not_put_back(desk: Desk, admin: Somebody) -> None:
    number = desk.peopled.dropped_letter

    late = admin.post(f"/dead-letters/{number}/requeue", {})
    none = admin.post("/dead-letters/4711/requeue", {})

    assert (late.status_code, none.status_code) == (409, 404)
    assert "cli:ada dropped dead letter" in text_of(late.text)


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_failed_alerts_are_sent_again_and_a_contact_is_tested(desk: Desk, admin: Somebody) -> None:
    page = text_of(admin.get("/alerts").text)
    assert "Send those again that failed for good" in page
    shown = admin.post("/alerts/retry", {})
    assert "to dan@acme.example: mail: the server said 550" in text_of(shown.text)
    assert admin.post("/alerts/retry", {"sure": "yes"}).status_code == 400  # it was not shown
    seen = {**hidden_fields(shown.text), "sure": "yes"}

    assert admin.post("/alerts/retry", seen).status_code == 303
    late = admin.post("/alerts/retry", seen)
    assert late.status_code == 409
    assert f"person:{ADMIN}" in text_of(late.text) and "sent alert" in text_of(late.text)
    assert admin.post("/alerts/retry", {}).status_code == 400  # none is left
    tested = admin.post("/alerts/test", {"recipient": "eve@acme.example"})
    assert "A keeper sends a test to eve@acme.example now" in text_of(tested.text)
    wrong = admin.post("/alerts/test", {"recipient": "eve@"})
    form = {"recipient": "eve@acme.example", "sure": "yes"}
    assert (wrong.status_code, admin.post("/alerts/test", form).status_code) == (400, 303)

    with desk.store.read() as tx:
        waiting = list_alerts(tx, SoughtAlerts(state="waiting"), limit=50)
        assert list_alerts(tx, SoughtAlerts(state="failed"), limit=50) == []
    assert {"dan@acme.example", "eve@acme.example"} <= {one.recipient for one in waiting}
