"""`meshline workflow`: check, publish, list, show and draw workflows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.change.rolling import Canary, Each, Shadow, rollout_of
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, DryRun, OnlyClient, OptionalWhy, Why
from orchestrator.cli.terminal.screen import note, put, put_json, put_source, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.cli.workflow.files import Checked, check_files, tell_faults
from orchestrator.cli.workflow.rolling_back import rollback
from orchestrator.cli.workflow.testing import show_tests
from orchestrator.cli.workflow.trying import try_
from orchestrator.cli.workflow.versions import find_version, versions
from orchestrator.domain.changes.states import ROLLING
from orchestrator.domain.text.visible import visible
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.domain.changes.rollout import Rollout
    from orchestrator.domain.workflows.workflow import Workflow
    from orchestrator.operations.publish_workflow import Published
    from orchestrator.store.database.engine import Store

app = typer.Typer(
    help="Workflows: check, try, test, publish, list, show, graph, rollback, retire.",
    no_args_is_help=True,
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Workflow files.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The workflow's name.")]
Version = Annotated[
    int | None, typer.Option("--version", metavar="N", min=1, help="Not the live one but this.")
]


@app.command()
def check(files: Files, as_json: AsJson = False) -> None:
    """Say every fault of workflow files: where it is, what is wrong, and what to write instead.

    A test of the file that fails is a fault, too.
    """
    checked = check_files(files)
    if as_json:
        put_json(
            {
                "ok": not checked.faults,
                "faults": [one.as_json() for one in checked.faults],
                "notes": [one.as_json() for one in checked.notes],
                "workflows": [_name_and_client(path, one) for path, one in checked.workflows],
            }
        )
    else:
        for path, one in checked.workflows:
            put(f"{path}: ok: {one.name} of client {one.client} takes {one.trigger_type}")
        tell_faults(checked)
    if checked.faults:
        raise typer.Exit(1)


app.command("try")(try_)
app.command("test")(show_tests)


@app.command()
def publish(
    files: Files,
    dry_run: DryRun = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="End when it is live, or will not be.")
    ] = False,
    why: OptionalWhy = None,
    shadow: Shadow = None,
    canary: Canary = None,
    each: Each = None,
    as_json: AsJson = False,
) -> None:
    """Publish workflow files as new versions; with one fault in any of them, none.

    Where a client's changes need an approval they are proposed, and live once that was given.
    """
    steps = rollout_of(shadow, canary, each)
    checked = check_files(files)
    tell_faults(checked)
    if checked.faults:
        raise typer.Exit(1)
    with opened_store(create=not dry_run) as store:
        published = _publish(store, checked, dry_run=dry_run, why=why, rollout=steps)
        if not as_json:
            for one in published:
                _tell_published(one, dry_run=dry_run)
        if wait and not dry_run:
            _wait(store, published)
    if as_json:
        put_json({"dry_run": dry_run, "workflows": published})


app.command()(rollback)


@app.command()
def retire(name: Name, client: OnlyClient = None, why: Why = "", as_json: AsJson = False) -> None:
    """Let no version of a workflow be live: nothing is accepted for it then.

    Events on their way go on. To take it back, publish its file again.
    """
    with opened_store() as store:
        from orchestrator.operations.retire_workflow import retire_workflow

        found = find_version(store, name, client=client, version=None)
        done = retire_workflow(store, found.client, name, why=why, actor=actor(store))
    if as_json:
        put_json(done)
    elif done.state == "live":
        put(f"{name} of client {done.client} is retired")
    else:
        put(f"{name} of client {done.client}: its retirement is proposed as change {done.change}")


@app.command("list")
def list_(
    client: OnlyClient = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Also versions that are not live any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List published workflows."""
    with opened_store() as store:
        found = versions(store, client=client, all_versions=all_versions)
    if as_json:
        put_json({"workflows": found})
        return
    put_table(
        ("WORKFLOW", "CLIENT", "VERSION", "LIVE", "TRIGGER", "PUBLISHED", "BY"),
        [
            (
                one.workflow,
                one.client,
                one.version,
                "yes" if one.live else "no",
                one.type,
                moment(one.published_at),
                one.published_by,
            )
            for one in found
        ],
        below=("BY",),
    )
    if not found:
        note("nothing is published: `meshline workflow publish FILE`")


@app.command()
def show(
    name: Name, client: OnlyClient = None, version: Version = None, as_json: AsJson = False
) -> None:
    """Show one published workflow with its whole definition, as a file that can be published."""
    from orchestrator.domain.workflows.workflow import Workflow

    with opened_store() as store:
        found = find_version(store, name, client=client, version=version)
    if as_json:
        put_json(found)
        return
    state = "live" if found.live else "not live"
    put_source(f"# version {found.version}, {state}")
    put_source(f"# published {moment(found.published_at)} by {visible(found.published_by)}")
    put(_yaml(Workflow.as_file(found.definition)))


@app.command()
def graph(
    source: Annotated[
        str, typer.Argument(metavar="FILE-OR-NAME", help="A workflow file, or a published name.")
    ],
    client: OnlyClient = None,
    version: Version = None,
) -> None:
    """Print a workflow as a Mermaid flowchart."""
    from orchestrator.cli.workflow.mermaid import flowchart
    from orchestrator.domain.workflows.file import read_workflow
    from orchestrator.domain.workflows.workflow import Workflow

    path = Path(source)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        put_source(flowchart(read_workflow(path, None)))
        return
    with opened_store() as store:
        found = find_version(store, source, client=client, version=version)
    put_source(flowchart(Workflow.from_published(found.definition)))


def _publish(
    store: Store, checked: Checked, *, dry_run: bool, why: str | None, rollout: Rollout | None
) -> list[Published]:
    from connectors.registry import connector_definitions
    from orchestrator.operations.publish_workflow import publish_workflow
    from orchestrator.settings import settings

    by, defined = actor(store), connector_definitions(settings().connectors)
    return [
        publish_workflow(
            store,
            one,
            actor=by,
            dry_run=dry_run,
            why=why,
            connectors=defined.digests,
            rates=defined.rates,
            rollout=rollout,
        )
        for _, one in checked.workflows
    ]


def _tell_published(one: Published, *, dry_run: bool) -> None:
    name = f"{one.workflow} of client {one.client}"
    if one.unchanged:
        put(f"{name}: version {one.version} is live already and says the same")
    elif one.state == "live":
        put(f"{name}: version {one.version} {'would be' if dry_run else 'is'} live")
    elif one.state in ROLLING and dry_run:
        put(f"{name}: it would be tried first, in a {one.state}, and be live after its last step")
    elif one.state in ROLLING:
        put(f"{name}: change {one.change} is rolled out; `meshline change rollout {one.change}`")
    elif one.change is None:
        put(f"{name}: it would be proposed, for its changes need an approval")
    else:
        put(f"{name}: proposed as change {one.change}; it is live once that is approved")
    if lost := one.lost_amend:
        verb = "would go" if dry_run or one.state != "live" else "are gone"
        note(f"{name}: {lost} steps of `amend` {verb}, which the version before had and the"
             " file has not; `meshline workflow show` has them, with --version")  # fmt: skip


def _wait(store: Store, published: list[Published]) -> None:
    from orchestrator.cli.change.waiting import wait_until_live

    for place, one in enumerate(published):
        if one.state != "live" and one.change is not None:
            version = wait_until_live(store, one.change)
            published[place] = replace(one, state="live", version=version)


def _name_and_client(path: Path, workflow: Workflow) -> dict[str, str]:
    return {
        "file": str(path),
        "client": workflow.client,
        "workflow": workflow.name,
        "type": workflow.trigger_type,
    }


def _yaml(definition: dict[str, object]) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    text = StringIO()
    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    writer.width = 100
    writer.dump(definition, text)
    return text.getvalue().rstrip()
