"""A change as a page of text: what it changes, whose it is, and what was said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.change.backtesting import put_backtest
from orchestrator.cli.change.differences import put_places, put_trial, put_words
from orchestrator.cli.change.gates import told_state
from orchestrator.cli.change.rehearsing import put_rehearsal
from orchestrator.cli.change.rolling import put_rollout
from orchestrator.cli.terminal.screen import note, put, put_field, put_line
from orchestrator.domain.changes.gates.gate import GateState
from orchestrator.domain.changes.states import ChangeState
from orchestrator.presenting.change_stories import told_story
from orchestrator.presenting.changes import told_wait
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.operations.changes.show import ExplainedChange

_SHORT = 12  # digits of a digest


def put_change(found: ExplainedChange) -> None:
    """The whole page."""
    put(f"change {found.change}: {found.kind} {found.workflow} of client {found.client}")
    _put_head(found)
    _put_differences(found)
    _put_connectors(found)
    _put_plan(found)
    _put_tried(found)
    _put_gates(found)
    _put_story(found)
    if found.state == ChangeState.EXPIRED:
        note(_why_expired(found))
    if found.state == ChangeState.AWAITING_APPROVAL:
        _note_deciders(found)


def _put_tried(found: ExplainedChange) -> None:
    if found.backtest is not None:
        put_backtest(found.backtest.result)
    if found.rehearsal is not None:
        put_rehearsal(found.rehearsal)
    if found.figures is not None:
        put_rollout(found.figures)


def _put_head(found: ExplainedChange) -> None:
    """Where it is, whose it is, and when it goes live."""
    commit, freeze = found.commit, found.freeze
    fields = {
        "state": found.state.replace("_", " "),
        "upon": "nothing" if found.base_version is None else f"version {found.base_version}",
        "live as": found.live_version and f"version {found.live_version}, {found.way}",
        "proposed": f"{moment(found.proposed_at)} by {found.proposed_by}",
        "why": found.why,
        "because": found.because,
        "goes live": found.go_live_at and moment(found.go_live_at),
        "waits": found.waits_for and told_wait(found.waits_for),
        "rollout": found.rollout if found.figures is None else None,
        "commit": commit and " ".join(filter(None, (commit.id, commit.url))),
        "frozen": freeze and f"until {moment(freeze.until)}: {freeze.why}",
        "digest": found.digest,
        "authors": ", ".join(_author(one.name, proven=one.proven) for one in found.authors),
    }
    for name, value in fields.items():
        if value is not None:
            put_field(name, value)


def _put_story(found: ExplainedChange) -> None:
    """One line of time: what happened, with figures and who."""
    put_field("story", "the oldest first")
    for one in told_story(found):
        how = f" ({one.how})" if one.how else ""
        put_line(f"  {moment(one.at)}  {one.what}, by {one.by}{how}")
        for more in filter(None, (one.figures, one.why)):
            put_line(f"    {more}")


def _note_deciders(found: ExplainedChange) -> None:
    if found.may_decide:
        note(f"{' or '.join(found.may_decide)} may decide, having looked at it:")
        note(f"  meshline change approve {found.change} --digest {found.digest}")
    else:
        note("nobody may approve it as it is")
    for one in found.may_not:
        note(f"not {one.mail}: {one.why}")


def _why_expired(found: ExplainedChange) -> str:
    if not any(one.round == found.round and one.decision == "approve" for one in found.decisions):
        return f"nobody decided until {moment(found.expires_at)}: propose it again"
    return (
        "it was approved, but could not go live when its time came: `meshline audit --client"
        f" {found.client} --action expire_change` says why"
    )


def _author(name: str, *, proven: bool) -> str:
    return (
        name.removeprefix("person:") if proven else f"{name.removeprefix('person:')} (only named)"
    )


def _put_connectors(found: ExplainedChange) -> None:
    """Which definitions go live with it, where they are not those of its base version."""
    for one in found.connectors:
        if one.digest == one.before:
            continue
        before = f"; {one.before[:_SHORT]} before" if one.before else ""
        put_line(f"  definition of connector {one.connector}: {one.digest[:_SHORT]}{before}")


def _put_plan(found: ExplainedChange) -> None:
    """The replay that may be approved with it."""
    if (plan := found.plan) is not None:
        put_line(f"  replay plan {plan.token} of {plan.events} events, digest {plan.digest}")


def _put_gates(found: ExplainedChange) -> None:
    """How many gates say what, and those that fail."""
    if not found.gates:
        return
    states = [one.state for one in found.gates]
    counts = (f"{states.count(one)} {told_state(one)}" for one in GateState if one in states)
    put_field("gates", f"{', '.join(counts)}: `meshline change check {found.change}`")
    for one in found.gates:
        if one.state == GateState.FAIL:
            put_line(f"  {one.gate} fails, and {one.force}: {one.evidence}")


def _put_differences(found: ExplainedChange) -> None:
    put_words(found.words)
    if found.kind == "retire":
        return
    put_trial(found.contract)
    put_places(found.differences)
