"""A change as people read it: where it is, what it does, how one goes back, what was said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.domain.access.actor import who
from orchestrator.domain.changes.states import OPEN, ROLLING, ChangeKind, ChangeState
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.domain.changes.gates.gate import JudgedGate
    from orchestrator.store.changes.views import ChangeRow

KINDS: Mapping[str, str] = {
    ChangeKind.PUBLISH: "a new version",
    ChangeKind.AMEND: "the live version with a recipe that mends what comes in",
    ChangeKind.RETIRE: "retire it: no version is live any more",
    ChangeKind.ROLLBACK: "an earlier version again",
}
"""What a change proposes, by its kind."""


def named(actor: str) -> str:
    """Who acted, without the way: a person by mail address.

    >>> named("person:ops@acme.example/page"), named("cli:root")
    ('ops@acme.example', 'cli:root')
    """
    return who(actor).removeprefix("person:")


def told_state(change: ChangeRow) -> str:
    """Where a change is, in a sentence with its time."""
    since = f"since {moment(change.changed_at)}, by {named(change.changed_by)}"
    match ChangeState(change.state):
        case ChangeState.AWAITING_APPROVAL:
            return f"It waits for an approval until {moment(change.expires_at)}."
        case ChangeState.APPROVED if change.go_live_at:
            return f"It is approved, and goes live at {moment(change.go_live_at)}."
        case ChangeState.SHADOW | ChangeState.CANARY as rolling:
            return f"{_ROLLS[rolling]}, {since}."
        case ChangeState.DRAFT:
            return f"It is with its authors, {since}; it is asked for again once they edit it."
        case ChangeState.LIVE:
            return _told_live(change, since)
        case ChangeState.STALE:
            return f"It is over: another version went live before it, {since}."
        case ChangeState.EXPIRED:
            return f"It expired {since}: nobody decided in time, or its approval did not hold."
        case state:
            return f"It is {state.replace('_', ' ')} {since}."


_ROLLS = {
    ChangeState.SHADOW: "Its version decides beside the live one, and sends nothing",
    ChangeState.CANARY: "Its version decides about a share of the events",
}


def told_wait(other: str) -> str:
    """Why an open change does not go live while another one is rolled out."""
    return (
        f"for the end of the rollout of change {other}: if that goes back, this goes live; if that"
        " goes live, this is stale"
    )


def _told_live(change: ChangeRow, since: str) -> str:
    if change.live_version is None:
        return f"It is done: the workflow is retired {since}."
    return f"It is live as version {change.live_version}, {_way(change)}{since}."


def _way(change: ChangeRow) -> str:
    return {"unapproved": "unapproved, ", "break_glass": "by break-glass, "}.get(
        change.way or "", ""
    )


def told_way_back(change: ChangeRow) -> list[str]:
    """What comes back if it goes wrong, and how, in sentences with commands in backticks."""
    if change.base_version is None:
        return ["No version was live before it. To go back is to retire the workflow."]
    base = change.base_version
    kept = f"Version {base} is kept as it is, and nothing of it is lost."
    if change.state in OPEN:
        kept = f"Version {base} stays live until this change is, and it is kept afterwards."
    if change.state in ROLLING:
        stop = f"`meshline change stop {change.change} --why ...`"
        return [
            f"Version {base} is live, and decides about all events that its version does not.",
            f"To go back: {stop}. A keeper does so by itself where a step fails.",
        ]
    if change.kind == ChangeKind.RETIRE:
        kept += " Events on their way go on; new ones are refused while no version is live."
    else:
        kept += " Events on their way finish with the version that they began with."
    back = f"`meshline workflow rollback {change.workflow} --client {change.client} --why ...`"
    if change.kind == ChangeKind.RETIRE:
        show = f"meshline workflow show {change.workflow} --client {change.client} --version {base}"
        again = f"`{show} > before.yaml`, then `meshline change propose before.yaml`"
        return [kept, f"To go back, propose version {base} again: {again}."]
    return [kept, f"To go back: {back}. Version {base} was live, so it needs no approval."]


def count_gates(gates: Sequence[JudgedGate]) -> str:
    """How many gates of a change say what."""
    counts = Counter(one.state.replace("_", " ") for one in gates)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{len(gates)} gates: {told}"


def told_gates(gates: Sequence[JudgedGate]) -> str:
    """What the gates of a change say together, in a sentence."""
    stopping = [one.gate.replace("_", " ") for one in gates if one.stops]
    says = (
        f"Nobody can approve it while {', '.join(stopping)} fails" if stopping else "None stops it"
    )
    return f"{count_gates(gates)}. {says}."
