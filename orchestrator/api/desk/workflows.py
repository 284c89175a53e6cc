"""Workflows: list, look, publish."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from connectors.registry import catalog, connector_definitions, load_connectors
from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Body, Name, NeedsWhy, Number, Paged, Query, Why
from orchestrator.api.desk.routes import Answer, Asked, Route, tag_of
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.gates.commit import commit_of
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.domain.errors import Fault, InvalidFile, NotFound
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.show import Settled
from orchestrator.operations.publish_workflow import Published, publish_workflow
from orchestrator.operations.replay.freeze_outcomes import OutcomesPlan
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.operations.rollback_workflow import RolledBack, rollback_workflow
from orchestrator.operations.run_tests import run_tests
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.workflow_versions import WorkflowView, show_workflow
from orchestrator.store.views.workflows.list import WorkflowRow, list_workflows

_FILE = "the workflow file"


class Workflows(Paged):
    """Which workflows."""

    client: Name | None = None
    owner: Annotated[Name | None, Field(description="whom the file names in any role")] = None


class Version(Query):
    """Which version."""

    version: Annotated[Number | None, Field(description="not the live one but this")] = None


class Publication(Body):
    """A workflow file."""

    file: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1_000_000),
        Field(description="the text of a workflow file; it names no other files"),
    ]
    dry_run: bool = False
    why: Why | None = None
    at: Annotated[
        Name | None,
        Field(description="where it needs an approval: not before then, 2h or ISO 8601"),
    ] = None
    change: Annotated[
        Name | None, Field(description="the token of a change that it is the next round of")
    ] = None
    commit: Annotated[
        Name | None, Field(description="of git, that it comes from: 7 to 64 hex digits")
    ] = None
    commit_url: Annotated[Name | None, Field(description="where people look at the commit")] = None
    instead_of: Annotated[
        Number | None, Field(description="the version that is live, as far as you know")
    ] = None
    shadow: Annotated[
        Name | None,
        Field(description="first it decides beside the live version for so long, such as 24h"),
    ] = None
    canary: Annotated[
        Name | None, Field(description="then about these shares of the events: 5%,25%,100%")
    ] = None
    each: Annotated[
        Name | None, Field(description="events and time that each share lasts: 100ev,2h")
    ] = None


def list_(asked: Asked) -> Answer:
    """By client and name."""
    query = asked.query_as(Workflows)
    place = place_of(query.cursor, str, str)
    with asked.store.read() as tx:
        rows = list_workflows(
            tx,
            client=query.client,
            clients=asked.some_clients(tx),
            owner=query.owner,
            after=None if place is None else (str(place[0]), str(place[1])),
            limit=query.limit + 1,
        )
    page = page_of(rows, query.limit, lambda row: (row.client, row.workflow))
    return Answer(document=page.as_json("workflows"))


def show(asked: Asked) -> Answer:
    """A version with its definition, and the newest ones beside it."""
    query = asked.query_as(Version)
    with asked.store.read() as tx:
        found = _workflow(tx, asked, query.version)
    return Answer(document=found, tag=_tag(found))


def publish(asked: Asked) -> Answer:
    """Make a version live, or propose it."""
    body = asked.body_as(Publication)
    with asked.store.read() as tx:
        asked.some_clients(tx, Act.PUBLISH_WORKFLOW)  # before a long file is read and tried
    defined = connector_definitions(asked.config.connectors)
    done = publish_workflow(
        asked.store,
        _checked(asked, body.file),
        actor=asked.actor,
        dry_run=body.dry_run,
        instead_of=body.instead_of,
        why=body.why,
        at=body.at,
        change=body.change,
        connectors=defined.digests,
        rates=defined.rates,
        commit=commit_of(
            body.commit,
            body.commit_url,
            file_digest=hashlib.sha256(body.file.encode()).hexdigest(),
        ),
        rollout=read_rollout(body.shadow, body.canary, body.each),
    )
    return Answer(document=done, location=f"/v1/workflows/{done.client}/{done.workflow}")


def retire(asked: Asked) -> Answer:
    """Let no version be live, or propose that."""
    done = retire_workflow(
        asked.store,
        asked.path["client"],
        asked.path["name"],
        why=asked.body_as(NeedsWhy).why,
        actor=asked.actor,
    )
    return Answer(document=done)


class Rollback(NeedsWhy):
    """What to go back to."""

    to: Annotated[
        int | None, Field(ge=1, description="this version; else the one before the live one")
    ] = None
    in_flight: Annotated[
        Literal["keep", "repin"],
        Field(description="events that are not routed: keep their version, or begin again"),
    ] = "keep"
    dry_run: Annotated[bool, Field(description="only say what it would do")] = False


class Outcomes(Body):
    """Whose outcomes."""

    made_by: Annotated[
        int | None,
        Field(ge=1, description="this version made them; else the one that was rolled back last"),
    ] = None


def plan_of_outcomes(asked: Asked) -> Answer:
    """Plan what becomes of what a rolled-back version made."""
    done = plan_outcomes(
        asked.store,
        asked.path["client"],
        asked.path["name"],
        catalog=catalog(load_connectors(asked.config.connectors)),
        actor=asked.actor,
        made_by=asked.body_as(Outcomes).made_by,
    )
    location = None if done.token is None else f"/v1/plans/{done.token}"
    return Answer(document=done, location=location)


def rollback(asked: Asked) -> Answer:
    """Make a version live again that was live before."""
    body = asked.body_as(Rollback)
    done = rollback_workflow(
        asked.store,
        asked.path["client"],
        asked.path["name"],
        why=body.why,
        actor=asked.actor,
        to=body.to,
        repin=body.in_flight == "repin",
        dry_run=body.dry_run,
    )
    return Answer(document=done)


def _workflow(tx: Tx, asked: Asked, version: int | None) -> WorkflowView:
    client, name, clients = asked.path["client"], asked.path["name"], asked.clients(tx)
    found = None
    if clients is None or client in clients:
        found = show_workflow(tx, client, name, version=version)
    if found is None:
        raise NotFound(
            f"there is no such version of {name!r} of client {client!r}",
            field="name",
            fix="GET /v1/workflows has those that are live",
        )
    return found


def _tag(found: WorkflowView) -> str:
    return tag_of({"digest": found.shown.digest, "live": found.shown.live})


def _checked(asked: Asked, text: str) -> Workflow:
    """The workflow of a file's text, whose tests pass. Raises InvalidFile."""
    actions = catalog(load_connectors(asked.config.connectors))
    workflow = parse_workflow(text, name=_FILE, catalog=actions)
    faults = [
        Fault(path=f"tests.{run.place}", problem=f"the test {run.name!r} fails: {one.problem}",
              fix="mend the workflow, or what the test expects")
        for run in run_tests(workflow)
        for one in run.unmet
    ]  # fmt: skip
    if faults:
        raise InvalidFile(_FILE, faults)
    return workflow


ROUTES = (
    Route(
        method="GET",
        path="/v1/workflows",
        name="list_workflows",
        act=Act.VIEW,
        says="List live workflows by client and name, with what is not at its end.",
        handler=list_,
        query=Workflows,
        answers=list_of(WorkflowRow, "workflows"),
    ),
    Route(
        method="POST",
        path="/v1/workflows",
        name="publish_workflow",
        act=Act.PUBLISH_WORKFLOW,
        says="Publish a workflow file: its new version is live at once, or where its client's"
        " changes need an approval a change. With `dry_run` say what would be.",
        handler=publish,
        body=Publication,
        answers=Published,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="GET",
        path="/v1/workflows/{client}/{name}",
        name="show_workflow",
        act=Act.VIEW,
        says="Show a version of a workflow with its definition, and the newest ones beside it.",
        handler=show,
        query=Version,
        answers=WorkflowView,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/workflows/{client}/{name}/retire",
        name="retire_workflow",
        act=Act.RETIRE_WORKFLOW,
        says="Let no version of a workflow be live, or where that needs an approval propose it.",
        handler=retire,
        body=NeedsWhy,
        answers=Settled,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="POST",
        path="/v1/workflows/{client}/{name}/rollback",
        name="rollback_workflow",
        act=Act.ROLLBACK_WORKFLOW,
        says="Make a version live again that was live before, at once and without an approval.",
        handler=rollback,
        body=Rollback,
        answers=RolledBack,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="POST",
        path="/v1/workflows/{client}/{name}/outcomes",
        name="plan_outcomes",
        act=Act.REPLAY,
        says="List what a rolled-back version made, and plan what to undo and what to send again."
        " `POST /v1/plans/{token}/run` runs the plan.",
        handler=plan_of_outcomes,
        body=Outcomes,
        answers=OutcomesPlan,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
