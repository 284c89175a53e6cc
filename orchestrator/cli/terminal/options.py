"""Options that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.terminal.usage import MissingOption, as_usage
from orchestrator.domain.reasons import Reason
from orchestrator.domain.whys import optional_why

_MOST_DIGITS = 18  # no store gives a larger number to anything


def number(text: str) -> int:
    """A number that a store gives, as it is typed. Raises BadParameter."""
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise typer.BadParameter(f"{text!r} is not a number: write digits such as 42")
    return int(text)


def _given_why(context: typer.Context, option: typer.CallbackParam, why: str) -> str | None:
    """The reason, or None where the option was not given. Raises BadParameter for a blank one."""
    source = context.get_parameter_source(str(option.name))
    if source is None or source.name == "DEFAULT":
        return None
    with as_usage("--why"):
        return optional_why(why)


def _needed_why(context: typer.Context, option: typer.CallbackParam, why: str) -> str:
    """The reason; without one only a look is allowed. Raises BadParameter."""
    given = _given_why(context, option, why)
    if given is None and not (context.params.get("dry_run") or context.resilient_parsing):
        raise MissingOption("--why")
    return given or ""


Why = Annotated[
    str,
    typer.Option(
        "--why",
        metavar="TEXT",
        callback=_needed_why,
        show_default=False,
        help="Why; needed, and kept in the audit.",
    ),
]
"""Of an act against the normal course. Its default is "", which only a dry run is given."""

OptionalWhy = Annotated[
    str | None,
    typer.Option(
        "--why",
        metavar="TEXT",
        callback=_given_why,
        show_default=False,
        help="Why; kept in the audit.",
    ),
]
"""Of an act that explains itself."""


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="Most rows to show.")
]
AfterPlace = Annotated[
    int | None,
    typer.Option("--after", metavar="PLACE", parser=number, help="Only events after this place."),
]
"""Where a page of a plan's or a job's events begins: behind this one of their places, from 0."""

OnlyClient = Annotated[
    str | None, typer.Option("--client", metavar="NAME", help="Only this client's.")
]
OnlyWorkflow = Annotated[
    str | None, typer.Option("--workflow", metavar="NAME", help="Only this workflow's.")
]
OnlyReason = Annotated[
    Reason | None,
    typer.Option("--reason", metavar="CODE", help="Only these, such as contract_violation."),
]
OnlyIncident = Annotated[
    int | None,
    typer.Option(
        "--incident",
        metavar="ID",
        parser=number,
        help="Only this incident's; see `incidents list`.",
    ),
]
OnlyOwner = Annotated[
    str | None,
    typer.Option("--owner", metavar="ADDRESS", help="Only what this owner or recovery lead has."),
]
WithText = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="WORDS",
        help="Only payloads with all of these words, or ones that begin so; names of fields count.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="In quarantine since then or later: 2h, 30m or 3d (ago), or an ISO 8601 time (UTC"
        " where it names no offset).",
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="In quarantine since before then."),
]
DiscardedSince = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Discarded then or later: 2h, 30m or 3d (ago), or an ISO 8601 time (UTC where it"
        " names no offset).",
    ),
]
DiscardedUntil = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Discarded before then.")
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Events by their ids.")]
