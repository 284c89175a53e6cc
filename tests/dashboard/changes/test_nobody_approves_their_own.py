"""The form renames `tier`, its healer proposes: by no way in do they approve it, and another does.

The same by command line, page, link and HTTP; then the leads that waited go on, and the audit tells
who proposed, who approved which digest, and what followed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.domain.text.links import signed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.audit import AuditRow, list_audit
from orchestrator.store.views.events.counts import count_states
from tests.api.doors import run_door
from tests.cli.desk import validate_leads
from tests.dashboard.access.desk import Somebody, somebody
from tests.dashboard.changes.conftest import LINK_KEY
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import running_flower
from tests.people import give, key_of
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    author,
    change,
    govern,
    live_version,
    proposed,
)
from tests.store.changes.healing import AMENDED, planned, stalled

pytestmark = pytest.mark.processes

OWN = "you are one of its authors, and nobody approves their own change"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was proposed by somebody who is an approver too, and what waits for it."""

    store: Store
    author: Somebody
    approver: Somebody
    door: httpx.Client
    change: str
    plan: str
    digest: str


@pytest.fixture(params=[5, 20])
def story(
    request: pytest.FixtureRequest, tmp_path: Path, valkey: EmbeddedServer
) -> Iterator[Story]:
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        govern(store)
        give(store, AUTHOR, Role.APPROVER, "acme")
        stalled(store, request.param)
        token = proposed(store, AMENDED, by=author(store))
        plan = planned(store, token)
        url = store.url.render_as_string(hide_password=False)
        with (
            running_flower(
                tmp_path, store_url=url, broker_url=valkey.url, MESHLINE_LINK_KEY=LINK_KEY
            ) as flower,
            run_door(store, None, None, key="none") as door,
            httpx.Client(base_url=f"http://127.0.0.1:{door.port}", timeout=20) as client,
            somebody(flower) as hers,
            somebody(flower) as his,
        ):
            hers.come_in(store, AUTHOR)
            his.come_in(store, APPROVER)
            yield Story(
                store=store,
                author=hers,
                approver=his,
                door=client,
                change=token,
                plan=plan.token,
                digest=change(store, token).digest,
            )


def by_command(story: Story) -> str:
    key = key_of(story.store, AUTHOR, Role.APPROVER, "acme")
    address = story.store.url.render_as_string(hide_password=False)
    told = ("change", "approve", story.change, "--digest", story.digest)
    for more in ((), ("--run-plan", story.plan)):
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator.cli.main", *told, *more],
            env={**os.environ, "MESHLINE_DATABASE_URL": address, "MESHLINE_ACTOR": key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert OWN in done.stderr
    return done.stderr


def by_page(story: Story) -> str:
    page = story.author.get(f"/changes/{story.change}")
    assert f'action="/changes/{story.change}/approve"' not in page.text
    assert f"You may not decide about it: {OWN}" in text_of(page.text)
    for given in ({}, {"plan": story.plan}):
        form = {"seen": story.digest, **given}
        answer = story.author.post(f"/changes/{story.change}/approve", form)
        assert answer.status_code == 403
    return text_of(answer.text)


def by_link(story: Story) -> str:
    """A link shows the page to whoever has it; what it is sent to decide is not read."""
    link = signed(f"/changes/{story.change}", now=time.time(), key=LINK_KEY)
    with httpx.Client(base_url=story.author.url, timeout=30) as nobody:
        page = nobody.get(link)
        sent = nobody.post(link.replace("?", "/approve?"), data={"seen": story.digest})
        form = nobody.post(f"/changes/{story.change}/approve", data={"seen": story.digest})
    assert (page.status_code, "<form" in page.text) == (200, False)
    assert {sent.status_code, form.status_code} == {401}
    return text_of(page.text)


def by_http(story: Story) -> str:
    key = key_of(story.store, AUTHOR, Role.APPROVER, "acme")
    for more in ({}, {"run_plan": story.plan}):
        answer = story.door.post(
            f"/v1/changes/{story.change}/decision",
            json={"decision": "approve", **more},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 403
    return str(answer.json()["detail"])


def audited(story: Story, action: str) -> AuditRow:
    with story.store.read() as tx:
        return list_audit(tx, action=action)[0]


def counted(story: Story, state: str) -> int:
    with story.store.read() as tx:
        return count_states(tx)[state]


def test_by_no_way_in_its_author_approves_it_and_by_one_yes_of_another_the_leads_are_healed(
    story: Story,
) -> None:
    waiting = counted(story, "quarantined")
    assert waiting in (5, 20)

    assert OWN in by_command(story)
    assert OWN in by_page(story)
    assert "This link shows the change, and decides nothing." in by_link(story)
    assert OWN in by_http(story)
    assert (live_version(story.store), counted(story, "quarantined")) == (1, waiting)

    plan = story.author.get(f"/plans/{story.plan}").text
    assert f"the plan goes with change {story.change}, which is not live yet" in text_of(plan)
    assert f"/plans/{story.plan}/run" not in plan
    page = story.approver.get(f"/changes/{story.change}").text
    assert f"{waiting} events are in quarantine and would pass under it" in text_of(page)
    form = {"seen": story.digest, "plan": story.plan}
    done = story.approver.post(f"/changes/{story.change}/approve", form)
    carry_out_next_job(story.store, keeper="k", lease_seconds=30)
    while counted(story, "accepted"):  # a plan's events are due a millisecond after one another
        validate_leads(story.store)

    assert (done.status_code, live_version(story.store)) == (303, 2)
    assert (counted(story, "quarantined"), counted(story, "validated")) == (0, waiting)
    said, live = audited(story, "approve_change"), audited(story, "go_live_change")
    assert audited(story, "propose_change").actor.startswith(f"person:{AUTHOR}/")
    assert said.actor.startswith(f"person:{APPROVER}/") and said.detail is not None
    assert (said.detail["subject"], said.detail["plan"]) == (story.digest, story.plan)
    assert live.detail is not None and live.detail["approved_by"] == said.actor
    assert audited(story, "finish_job").detail is not None
