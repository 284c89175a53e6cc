"""`meshline audit`: who did what, when and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit, OnlyClient, OnlyIncident
from orchestrator.cli.terminal.screen import note, put_json, put_table, short
from orchestrator.domain.text.visible import visible


def audit(
    event: Annotated[
        str | None, typer.Option("--event", metavar="ID", help="Only of this event.")
    ] = None,
    incident: OnlyIncident = None,
    client: OnlyClient = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="WHO", help="Only by this one, such as cli:root."),
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="WHAT", help="Only this, such as publish.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when and why, the newest first."""
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.events import list_audit

        with store.read() as tx:
            check_filters(tx, client=client)
            rows = list_audit(
                tx,
                event_id=event,
                incident=incident,
                client=client,
                actor=actor,
                action=action,
                limit=limit,
            )
    if as_json:
        put_json({"audit": rows})
        return
    put_table(
        ("WHEN", "WHO", "WHAT", "ABOUT", "WHY"),
        [(short(row["at"]), row["actor"], what(row), _about(row), why(row)) for row in rows],
        below=("WHY",),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


def what(row: Mapping[str, Any]) -> str:
    """What an audit row tells of, with the incident and the destination where it is about one."""
    words = row["action"].replace("_", " ")
    if row["incident"] is not None:
        words += f" {row['incident']}"
    return f"{words} ({row['destination']})" if row["destination"] else words


def why(row: Mapping[str, Any]) -> str:
    """The reason and the details of an audit row, as one text."""
    detail = dict(row["detail"] or {})
    said = [row["reason"], detail.pop("detail", None)]
    if isinstance(given := detail.get("why"), str):  # a person's own words, under this very name
        said.append(visible(given))
        del detail["why"]
    said += [_amendment(one) for one in detail.pop("amendments", ())]
    said += [f"{name}: {_text(value)}" for name, value in detail.items()]
    return "; ".join(str(one) for one in said if one)


def _about(row: Mapping[str, Any]) -> str | None:
    workflow = f"{row['client']}/{row['workflow']}" if row["workflow"] else row["client"]
    return row["event_id"] or workflow


def _amendment(one: Mapping[str, object]) -> str:
    match one["action"]:
        case "rename":
            return f"rename {one['path']} to {one['to']}"
        case "set":
            return f"set {one['path']} to {_text(one['value'])}"
    return f"{one['action']} {one['path']}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
