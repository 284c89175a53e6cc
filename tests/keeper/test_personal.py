"""An alert has names and counts: no personal value is in what is sent, by whatever way."""

from __future__ import annotations

from orchestrator.keeper.telling import Teller
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.keeper.conftest import Desk
from tests.marked import GIVER, SECRET, fill_marked


def test_no_alert_has_a_personal_value(desk: Desk, store: Store) -> None:
    fill_marked(store)
    keep_clocks(store, TermsShelf())

    assert Teller(store=store, config=desk.settings()).tell() > 0

    told = repr(desk.mails.texts) + repr(desk.mails.arrived) + repr(vars(desk.hook))
    assert "acme/leads" in told
    assert SECRET not in told.casefold()
    assert GIVER[:9] not in told
