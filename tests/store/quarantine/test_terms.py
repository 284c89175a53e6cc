"""What a version promises is read from the store as the workflow's file says it."""

from __future__ import annotations

from datetime import date

import orjson
import pytest
from sqlalchemy import update

from orchestrator.domain.workflows.hours.calendar import Calendar
from orchestrator.domain.workflows.promises import PromisedRate
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.quarantine.workflow_terms import Terms, TermsShelf
from tests.leads import TEXT, lead_workflow, publish_leads

HOURS = """{zone: Europe/Berlin, hours: {mon-tue: ["09:00-12:00", "13:00-17:00"], fri: 09:00-24:00},
  holidays: ["2026-12-25"]}"""
ALL_SAID = f"""72h, calendar: {HOURS}, escalate: [1m, 10m], pauses_stop: [],
  success_rate: {{at_least: 99.5%, over: 2h, of: 7}}}}"""


def terms(store: Store) -> Terms:
    with store.read() as tx:
        (found,) = TermsShelf().newest(tx).values()
    return found


def test_all_that_a_file_says_of_its_clocks_is_read(store: Store) -> None:
    publish_leads(store, TEXT.replace("72h}", ALL_SAID))

    found = terms(store)

    assert (found.deliver_within, found.recover_within) == (900, 72 * 3_600)
    morning_and_afternoon = ((540, 720), (780, 1_020))
    assert found.calendar == Calendar(
        zone="Europe/Berlin",
        hours={0: morning_and_afternoon, 1: morning_and_afternoon, 4: ((540, 1_440),)},
        holidays=frozenset({date(2026, 12, 25)}),
    )
    assert (found.escalate, found.pauses_stop) == ((60, 600), ())
    assert found.success_rate == PromisedRate(at_least="99.5%", over="2h", of=7)
    owners = lead_workflow().owners
    assert (found.owner, found.recovery_lead) == (owners.owner, owners.recovery_lead)
    assert found.backstop == owners.backstop


@pytest.mark.parametrize("older", [False, True], ids=["as it is kept", "of an older release"])
def test_what_a_file_leaves_out_is_as_its_model_has_it(store: Store, older: bool) -> None:
    publish_leads(store)
    if older:
        _forget(store, "escalate", "calendar", "success_rate", "pauses_stop")
    said = lead_workflow()

    found = terms(store)

    assert list(found.escalate) == [0, 1_800, 7_200]
    assert (found.calendar, found.success_rate) == (None, None)
    assert found.pauses_stop == said.sla.pauses_stop == ("recover_within",)


def _forget(store: Store, *keys: str) -> None:
    """Keep the version as a release did that had no such keys."""
    definition = lead_workflow().definition()
    sla = definition["sla"]
    assert isinstance(sla, dict)
    definition["sla"] = {key: value for key, value in sla.items() if key not in keys}
    with store.write() as tx:
        tx.execute(update(workflow_versions).values(definition=orjson.dumps(definition).decode()))
