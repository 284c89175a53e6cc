"""What a change's page shows of its backtest: drawn, as a table, and events with their values."""

from __future__ import annotations

from orchestrator.dashboard.pages.changes.file import change_as_html
from orchestrator.dashboard.pages.changes.page import look_at_change
from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.presenting.personal.gate import NO_CLIENT, shown
from orchestrator.store.database.engine import Store
from tests.dashboard.page_text import elements, text_of
from tests.leads import TEXT, accept_leads
from tests.store.changes.governed import author, decide, govern, proposed

MARKED = TEXT.replace("x-pii: false", "x-pii: email")
CALLS = MARKED.replace('"Onboard "', '"Call "').replace("to: [crm]}", "to: [crm, desk]}")


def test_examples_show_values_to_who_may_see_them_and_masks_to_others(store: Store) -> None:
    govern(store)
    decide(store, proposed(store, MARKED))
    moved = accept_leads(store, 2, tier="pro")
    stays = accept_leads(store, 1, tier="enterprise")
    token = proposed(store, CALLS)
    backtest_change(store, token, actor=author(store))

    with store.read() as tx:
        page = look_at_change(tx, token, None, author(store))
        whole = shown(tx, page.examples, sees={"acme"})
        masked = shown(tx, page.examples, sees=NO_CLIENT)
        file = change_as_html(look_at_change(tx, token))

    assert {one.id for one in whole.value} == {*moved, *stays}
    first, last = whole.value[0], next(one for one in whole.value if one.id == stays[0])
    assert (first.was, first.outcome) == ("crm", "crm, desk")
    assert [(one.name, one.what, one.old) for one in first.fields] == [("title", "added", None)]
    (title,) = last.fields
    assert str(title.old).startswith("Onboard lead-") and str(title.new).startswith("Call lead-")
    assert set(whole.seen) == {*moved, *stays}
    assert "example.com" in repr(whole.value) and "example.com" not in repr(masked.value)
    assert [one.id for one in masked.value] == [one.id for one in whole.value]
    found = elements(file)
    assert len([name for name, _ in found if name == "path"]) == 2
    assert not [name for name, _ in found if name == "a"]
    told = text_of(file)
    assert f"crm crm, desk 2 {moved[0][:12]}" in " ".join(told.split())
    assert "lead-" not in told


def test_what_a_new_version_makes_of_a_personal_value_is_masked_where_today_nothing_is(
    store: Store,
) -> None:
    govern(store)
    plain = MARKED.replace("'\"Onboard \" + email'", "'\"New lead\"'")
    assert plain != MARKED
    decide(store, proposed(store, plain))
    accept_leads(store, 1, tier="enterprise")
    token = proposed(store, plain.replace("'\"New lead\"'", "'email.split(\"@\")[0]'"))
    backtest_change(store, token, actor=author(store))

    with store.read() as tx:
        page = look_at_change(tx, token, None, author(store))
        masked = shown(tx, page.examples, sees=NO_CLIENT).value

    assert "lead-" in repr(page.examples) and "lead-" not in repr(masked)
    (field,) = masked[0].fields
    assert field.old == "New lead"
