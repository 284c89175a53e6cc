"""An incident is healed on its page: preview, apply, plan, run; by whom, and on changed ground."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from tests.cli.desk import validate_leads
from tests.dashboard.access.desk import Somebody, add_operator, add_people, somebody
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import accept_leads, publish_leads, renamed_lead
from tests.people import add

pytestmark = pytest.mark.processes

ADA, BEN = "ada@acme.example", "ben@acme.example"
VIC, EVE = "vic@acme.example", "eve@globex.example"
RENAME = "--rename customer_tier=tier"
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[tuple[RunningFlower, Store]]:
    """Flower over an incident of three leads with another name for their tier."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        publish_leads(store)
        accept_leads(store, 12)
        validate_leads(store)
        accept_batch(store, [renamed_lead(number) for number in range(3)], actor="key:test")
        validate_leads(store)
        add_people(store, ada="Ada", ben="Ben")
        add(store, VIC, Role.VIEWER, "acme")
        add_operator(store, EVE, "Eve", "globex")
        with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
            yield flower, store


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found if name != "_xsrf"}


def preview(one: Somebody, **given: str) -> httpx.Response:
    return one.post("/incidents/1/recipe/preview", given or {"recipe": RENAME})


def apply(one: Somebody, page: str, **given: str) -> httpx.Response:
    path = "/incidents/1/recipe/apply"
    return one.post(path, fields_of(page, path) | {"then": "plan"} | given)


def incident(store: Store) -> IncidentView:
    with store.read() as tx:
        found = show_incident(tx, 1)
    assert found is not None
    return found


def test_a_recipe_is_previewed_applied_planned_and_run(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada:
        ada.come_in(store, ADA)
        page = ada.get("/incidents/1").text
        proposed = fields_of(page, "/incidents/1/recipe/preview")
        assert proposed == {"recipe": RENAME}

        before = incident(store)
        shown = preview(ada, **proposed)
        assert shown.status_code == 200, flower.log.read_text()
        assert "3 of 3 events would pass" in text_of(shown.text)
        assert '/customer_tier: "enterprise" /tier: "enterprise"' in text_of(shown.text)
        assert incident(store) == before

        applied = apply(ada, shown.text)
        assert applied.status_code == 303, text_of(applied.text)
        plan = applied.headers["Location"]
        page = ada.get(plan).text
        assert "3 events" in text_of(page), flower.log.read_text()
        assert "crm 3 sent: nothing of it is there yet" in text_of(page)

        run = ada.post(f"{plan}/run", fields_of(page, f"{plan}/run"))
        assert (run.status_code, run.headers["Location"]) == (303, "/jobs/1")
        job = ada.get("/jobs/1")
        assert "0 of 3 events" in text_of(job.text)


def test_who_comes_second_is_told_who_did_what_and_when(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as ben:
        ada.come_in(store, ADA)
        ben.come_in(store, BEN)
        both = [preview(one, recipe=RENAME).text for one in (ada, ben)]
        plan = apply(ada, both[0]).headers["Location"]

        late = apply(ben, both[1])
        assert late.status_code == 409
        assert f"person:{ADA}/page amended events of it at" in text_of(late.text)
        alone = preview(ben, recipe=RENAME).text
        assert "3 are left alone: somebody else amended them" in text_of(alone)

        forms = [fields_of(one.get(plan).text, f"{plan}/run") for one in (ada, ben)]
        runs = [one.post(f"{plan}/run", form) for one, form in zip((ada, ben), forms, strict=True)]
        assert [one.status_code for one in runs] == [303, 409]
        assert f"person:{ADA}/page started job 1 with it at" in text_of(runs[1].text)
        assert "Run the plan" not in text_of(ben.get(plan).text)
        assert 'href="/jobs/1"' in ben.get(plan).text


def test_what_arrives_after_the_preview_is_not_amended(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada:
        ada.come_in(store, ADA)
        shown = preview(ada, recipe=RENAME).text
        accept_batch(store, [renamed_lead(9)], actor="key:test")
        validate_leads(store)
        assert incident(store).standing == 4

        assert apply(ada, shown, then="").headers["Location"] == "/incidents/1"
        again = text_of(preview(ada, recipe=RENAME).text)
        assert "1 of 4 events would pass" in again
        assert "3 are left alone" in again


def test_who_may_not_heal_changes_nothing(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as vic, somebody(flower) as eve:
        for one, mail in ((ada, ADA), (vic, VIC), (eve, EVE)):
            one.come_in(store, mail)
        shown = preview(ada, recipe=RENAME).text
        before = incident(store)

        for one, code in ((vic, 403), (eve, 404)):
            assert preview(one, recipe=RENAME).status_code == code
            assert apply(one, shown).status_code == code
            assert one.post("/incidents/1/plan", {}).status_code == code
        assert incident(store) == before
        plan = apply(ada, shown).headers["Location"]
        assert "Run the plan" not in text_of(vic.get(plan).text)
        assert eve.get(plan).status_code == 404
        form = fields_of(ada.get(plan).text, f"{plan}/run")
        assert [one.post(f"{plan}/run", form).status_code for one in (vic, eve)] == [403, 404]
        assert ada.get("/jobs/1").status_code == 404
        for path in ("/incidents/1/recipe/preview", "/incidents/1/recipe/apply", f"{plan}/run"):
            assert ada.get(path).status_code == 405


def test_a_recipe_that_cannot_be_tried_says_why_and_keeps_what_was_written(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada:
        ada.come_in(store, ADA)
        wrong = {
            "--renam a=b": "--rename",
            "--rename": "--rename has no value",
            "--rename 'a=b": "close every quotation mark",
            "--set tier=pro": "a default needs a reason",
            "steps: 7": "it is not a list of steps",
            HOSTILE: "it is not a recipe",
            "x" * 30_000: "characters",
            "": "it has no step",
        }
        for text, told in wrong.items():
            answer = preview(ada, recipe=text, why="")
            assert (answer.status_code, told in text_of(answer.text)) == (400, True), text
            assert "<script>alert" not in answer.text
            assert text[:200] in unescape(answer.text)
        assert preview(ada, saved="99").status_code == 404
        assert preview(ada, recipe="--trim nowhere").status_code == 200
        blind = ada.post("/incidents/1/recipe/apply", {"recipe": RENAME, "then": "plan"})
        assert (blind.status_code, "preview it first" in blind.text) == (400, True)
