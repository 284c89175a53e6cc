"""The page's pipeline is carried out: in plain shell, by the key of a program, on a real store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.errors import Forbidden
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.show import ExplainedChange, explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.changes.views import list_changes
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.house.pages import ROOT
from tests.leads import lead
from tests.people import ADMIN, add, add_admin, age_roles, logged_in

pytestmark = pytest.mark.processes

PAGE = (ROOT / "docs" / "howto" / "propose-from-git.md").read_text("utf-8")
SCRIPTS = dict(re.findall(r"(?ms)^`([\w.]+)`:\n\n```sh\n(.*?)^```$", PAGE))
CONNECTORS = ROOT / "workflows" / "connectors"
APPROVER = "head-of-support@acme.example"
SECOND = "second-admin@agency.example"
COMMIT = "4adfa9d2b1c0e5f60718293a4b5c6d7e8f901234"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A checkout with one workflow, and what its jobs are given."""

    folder: Path
    key: str
    url: str

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("sh", "-c", SCRIPTS[script]),
            cwd=self.folder,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "MESHLINE_HOME": str(self.folder / "home"),
                "MESHLINE_DATABASE_URL": self.url,
                "MESHLINE_CONNECTORS": str(CONNECTORS),
                "MESHLINE_ACTOR": self.key,
                "COMMIT": COMMIT,
                "COMMIT_URL": f"https://git.example/workflows/commit/{COMMIT}",
                "MESSAGE": "The form may send a plan",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    @property
    def file(self) -> Path:
        return self.folder / "workflows" / "leads.yaml"

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text("utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'meshline.db'}")
    yield store
    store.close()


@pytest.fixture
def pipeline(opened: Store, tmp_path: Path) -> Pipeline:
    """The example is live, three leads came, its changes need an approval; the key is no person."""
    (tmp_path / "workflows").mkdir()
    text = (ROOT / "workflows" / "lead-routing.yaml").read_text("utf-8")
    (tmp_path / "workflows" / "leads.yaml").write_text(text, "utf-8")
    known = catalog(load_connectors(CONNECTORS))
    workflow = read_workflow(tmp_path / "workflows" / "leads.yaml", known)
    add_admin(opened)
    add(opened, SECOND, Role.ADMIN, "*")
    publish_workflow(opened, workflow, actor=logged_in(opened, ADMIN))
    accept_batch(opened, [lead(number) for number in range(3)], actor="key:test")
    add(opened, APPROVER, Role.APPROVER, "acme")
    age_roles(opened)
    # Not by the admin who gave the role: it would not count for what the key proposes.
    second = logged_in(opened, SECOND)
    key = create_key(opened, clients=["acme"], label="pipeline", actor=second, role=Role.OPERATOR)
    return Pipeline(folder=tmp_path, key=key, url=f"sqlite:///{tmp_path / 'meshline.db'}")


def waiting(store: Store) -> list[ExplainedChange]:
    with store.read() as tx:
        return [explain_change(tx, row.change, None) for _, row in list_changes(tx)]


def test_what_is_live_already_passes_and_proposes_nothing(
    pipeline: Pipeline, opened: Store
) -> None:
    checked, proposed = pipeline.run("check.sh"), pipeline.run("propose.sh")

    assert checked.returncode == 0, checked.stderr
    assert "version 1 is live and says the same" in checked.stdout
    assert proposed.returncode == 0, proposed.stderr
    assert waiting(opened) == []


def test_what_was_merged_is_proposed_with_its_commit_and_waits_for_the_approver(
    pipeline: Pipeline, opened: Store
) -> None:
    message = "    message: {type: string}"
    pipeline.edit(message, f"{message}\n    plan: {{enum: [a]}}")

    checked = pipeline.run("check.sh")
    first, again = pipeline.run("propose.sh"), pipeline.run("propose.sh")

    assert "added    contract: `plan` is new, and may be left out" in checked.stdout
    assert "of all 3 events of the last 28 days it newly refuses 0" in checked.stdout
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    (change,) = waiting(opened)
    assert (change.state, change.why) == ("awaiting_approval", "The form may send a plan")
    assert change.commit is not None
    assert (change.commit.id, change.commit.url) == (
        COMMIT,
        f"https://git.example/workflows/commit/{COMMIT}",
    )
    assert change.commit.file_digest == sha256(pipeline.file.read_bytes()).hexdigest()
    # Whoever made the pipeline's key is an author of what it proposes.
    with pytest.raises(Forbidden):
        decide_change(opened, change.change, Decision.APPROVE, actor=logged_in(opened, SECOND))
    done = decide_change(opened, change.change, Decision.APPROVE, actor=logged_in(opened, APPROVER))
    assert done.state == "live"


def test_a_contract_that_refuses_real_events_ends_the_pipeline_with_1(
    pipeline: Pipeline, opened: Store
) -> None:
    pipeline.edit("required: [email, tier]", "required: [email, tier, message]")
    pipeline.edit("tier: enterprise}\n    expect:", "tier: enterprise, message: Hi}\n    expect:")

    proposed = pipeline.run("propose.sh")

    assert proposed.returncode == 1, proposed.stdout
    assert "nobody can approve it: contract fails, and blocks" in proposed.stderr
    (change,) = waiting(opened)
    assert [one.gate for one in change.gates if one.stops] == ["contract"]


def test_a_test_of_the_file_that_fails_ends_the_pipeline_before_anything_is_proposed(
    pipeline: Pipeline, opened: Store
) -> None:
    pipeline.edit("to: [crm, senior-desk]}", "to: [crm, desk, senior-desk]}")

    checked, proposed = pipeline.run("check.sh"), pipeline.run("propose.sh")

    assert (checked.returncode, proposed.returncode) == (1, 1)
    assert "leads.yaml:" in checked.stderr
    assert waiting(opened) == []
