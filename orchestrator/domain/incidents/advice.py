"""What to do about an incident: one table, for the command line, the pages and the alerts.

Each reason has its steps in order: where to look, what to mend, and what sends the events on their
way again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.breakers import (
    FAILING,
    PAUSED,
    RATE_LIMITED,
    REDEFINED,
    UNAUTHORIZED,
)
from orchestrator.domain.incidents.incident import (
    AWAITING,
    BAD_SIGNATURES,
    BROKE_GLASS,
    FURTHER,
    HELD,
    LATE,
    LOW_RATE,
    OLD_SPOOL,
)
from orchestrator.domain.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do."""

    do: str  # a sentence without a full stop
    command: str | None = None  # that does it; None where it is done elsewhere


def advise(
    reason: str,
    *,
    client: str,
    workflow: str,
    incident: int | None = None,
    event_id: str | None = None,
    blockers: Mapping[str, str] | None = None,
) -> tuple[Step, ...]:
    """The steps for an incident, or for one event of it, with its commands filled in.

    `blockers` is what holds deliveries back: names of connectors, actions or destinations, each
    with the reason why it is paused or its circuit breaker is open.

    >>> advise("no_route", client="acme", workflow="lead-routing", incident=7)[-1].command
    'meshline quarantine replay --incident 7 --plan'
    """
    known = {
        "which": event_id if incident is None else f"--incident {incident}",
        "see": f"show {event_id}" if incident is None else f"list --incident {incident}",
        "client": client,
        "workflow": workflow,
    }
    if reason == HELD and blockers:
        return tuple(
            step
            for name, why in blockers.items()
            for step in _filled(BLOCKED.get(why, BLOCKED[FAILING]), known | {"name": name})
        )
    return tuple(_filled(ADVICE.get(reason, _UNKNOWN), known))


def _filled(steps: Sequence[Step], known: Mapping[str, str | None]) -> list[Step]:
    return [
        Step(do=one.do.format_map(known), command=one.command and one.command.format_map(known))
        for one in steps
    ]


_REPLAY = Step(
    do="Plan a replay, and run it by the token that it prints",
    command="meshline quarantine replay {which} --plan",
)
_SHOW = Step(
    do="See which events they are, and what is wrong with each",
    command="meshline quarantine {see}",
)
_JUNK = Step(
    do="Give up what is junk; `quarantine restore` takes that back",
    command="meshline quarantine discard {which} --why 'the reason'",
)
_NEW_VERSION = "meshline workflow publish FILE"
_DESTINATIONS = Step(
    do="See whether its destination works now", command="meshline destinations list"
)
_UNKNOWN = (_SHOW, _REPLAY)

ADVICE: Mapping[str, tuple[Step, ...]] = {
    Reason.CONTRACT_VIOLATION: (
        Step(do="See what the sender changed", command="meshline quarantine diagnose {which}"),
        Step(
            do="Try a fix on every payload, without changing one",
            command="meshline quarantine recipe {which} --rename SENT=AGREED --preview",
        ),
        Step(
            do="Ask the sender to send what was agreed, or publish a version that takes what came",
            command=_NEW_VERSION,
        ),
        _REPLAY,
        _JUNK,
    ),
    Reason.CONTRACT_LIMIT: (
        Step(
            do="See which limit the contract exceeds with these payloads",
            command="meshline quarantine {see}",
        ),
        Step(
            do="Ask the sender to send less at once, or publish a version with a simpler contract",
            command=_NEW_VERSION,
        ),
        _REPLAY,
        _JUNK,
    ),
    Reason.MISSING_FACT: (
        Step(do="See what the sender left out", command="meshline quarantine diagnose {which}"),
        Step(
            do="Fill in what is missing, without changing a payload yet",
            command="meshline quarantine recipe {which} --set PATH=VALUE --preview",
        ),
        Step(do="Or publish a version that does without it", command=_NEW_VERSION),
        _REPLAY,
    ),
    Reason.NO_ROUTE: (
        Step(
            do="See for which values no route holds",
            command="meshline quarantine {see}",
        ),
        Step(do="Publish a version with a route for them", command=_NEW_VERSION),
        _REPLAY,
    ),
    Reason.RULE_ERROR: (
        Step(
            do="See which expression cannot be computed",
            command="meshline quarantine {see}",
        ),
        Step(do="Publish a version with a better expression", command=_NEW_VERSION),
        _REPLAY,
    ),
    Reason.DUPLICATE_ITEM: (
        Step(do="See which items have the same key", command="meshline quarantine {see}"),
        Step(do="Ask the sender whether one of them is sent twice"),
        Step(do="Take it out of the payload, or publish a version with another `key`"),
        _REPLAY,
    ),
    Reason.DESTINATION_REFUSED: (
        Step(do="Read what the destination answered", command="meshline quarantine {see}"),
        Step(do="Correct what it refuses: a login, a right, or a field of the workflow"),
        _REPLAY,
    ),
    Reason.HANDOFF_MISMATCH: (
        Step(
            do="See which field of the record differs from what was sent",
            command="meshline quarantine {see}",
        ),
        Step(
            do="Correct the record in its tool, or publish a version that confirms only what the"
            " tool keeps",
            command=_NEW_VERSION,
        ),
        Step(
            do="Plan a replay: the record is read again, and never made a second time",
            command="meshline quarantine replay {which} --plan",
        ),
    ),
    Reason.UNKNOWN_OUTCOME: (
        Step(
            do="See which calls got no answer, and look for their records in the tool",
            command="meshline quarantine {see}",
        ),
        Step(
            do="Where the records are not there, send them again",
            command="meshline quarantine replay {which} --send-again",
        ),
        Step(
            do="Where they are there, give the events up: the tool has them",
            command="meshline quarantine discard {which} --why 'the tool has the record'",
        ),
    ),
    Reason.UNDO_FAILED: (
        Step(
            do="See what was made and could not be taken back",
            command="meshline quarantine {see}",
        ),
        Step(do="Take it back in the tool by hand, or leave it: a replay goes on with it"),
        _REPLAY,
    ),
    Reason.RETRIES_EXHAUSTED: (
        _DESTINATIONS,
        Step(
            do="Read what the destination cannot take, while it takes other events",
            command="meshline quarantine {see}",
        ),
        _REPLAY,
    ),
    Reason.CONNECTOR_MISSING: (
        Step(do="See which connectors are known here", command="meshline connectors list"),
        Step(do="Give every worker the definition (MESHLINE_CONNECTORS), and restart it"),
        _REPLAY,
    ),
    Reason.START_LIMIT: (
        Step(do="See whether the processes run", command="meshline doctor"),
        Step(do="Read the workers' logs: the event may end the process that takes it"),
        _REPLAY,
    ),
    Reason.APPROVAL_REFUSED: (
        Step(do="See what the approver said", command="meshline quarantine {see}"),
        Step(
            do="Fix what would be sent, without changing a payload yet",
            command="meshline quarantine recipe {which} --set PATH=VALUE --preview",
        ),
        Step(
            do="Plan a replay: it asks for an approval anew",
            command="meshline quarantine replay {which} --plan",
        ),
        _JUNK,
    ),
    Reason.APPROVAL_LATE: (
        Step(
            do="See who has the role approver for {client}",
            command="meshline people list",
        ),
        Step(
            do="Plan a replay: it asks for an approval anew, with its whole time",
            command="meshline quarantine replay {which} --plan",
        ),
        _JUNK,
    ),
    BROKE_GLASS: (
        Step(
            do="See what went live, who made it live and why",
            command="meshline audit --client {client} --action break_glass_change",
        ),
        Step(
            do="Let it be, or propose the version that should be live; then resolve this incident,"
            " with what you decided as the reason",
            command="meshline incidents list --client {client} --workflow {workflow}",
        ),
    ),
    AWAITING: (
        Step(
            do="See what waits, and until when",
            command="meshline approvals list --client {client} --workflow {workflow}",
        ),
        Step(do="Look at what one of them would send", command="meshline approvals show EVENT"),
        Step(
            do="Say yes, or no with a reason; whoever amended an event does not approve it",
            command="meshline approvals approve EVENT",
        ),
    ),
    Reason.NO_WORKFLOW: (
        Step(do="See which types no workflow takes", command="meshline quarantine {see}"),
        Step(do="Publish a workflow of {client} that takes the type", command=_NEW_VERSION),
        Step(
            do="Replay: the events go to the workflow that takes their type now",
            command="meshline quarantine replay {which}",
        ),
        _JUNK,
    ),
    Reason.CONFLICTING_DUPLICATE: (
        Step(do="See which event has the key, and compare", command="meshline quarantine {see}"),
        Step(
            do="Where both have to be delivered, replay this one as an event of its own",
            command="meshline quarantine replay {which}",
        ),
        _JUNK,
    ),
    BAD_SIGNATURES: (
        Step(
            do="Ask whether the vendor's secret was replaced, and add the new one beside the old",
            command="meshline sources list",
        ),
        Step(
            do="Try a request that the vendor sent since",
            command="meshline sources try NAME --request FILE",
        ),
        Step(
            do="Let the vendor send again what it could not deliver; then resolve this incident",
            command="meshline incidents list --client {client} --workflow {workflow}",
        ),
    ),
    OLD_SPOOL: (
        Step(do="See whose key it is, and when it was last used", command="meshline keys list"),
        Step(
            do="On the producer's machine see what waits and why, with `python -m meshline.spool"
            " list PATH`, or of an outbox `python -m meshline.outbox list`; where none of its"
            " processes lives long, let a timer forward it"
        ),
        Step(
            do="It is resolved by itself when the producer says that nothing old waits; where the"
            " spool is gone for good, resolve it",
            command="meshline incidents list --reason old_spool",
        ),
    ),
    Reason.POISON_MESSAGE: (
        Step(do="See the messages, and why none can be read", command="meshline dead-letters list"),
        Step(
            do="Put one back on its queue when its sender or the worker is mended",
            command="meshline dead-letters requeue ID",
        ),
        Step(
            do="Drop what is junk: no event hangs on a message",
            command="meshline dead-letters drop ID --why 'the reason'",
        ),
    ),
    HELD: (
        Step(
            do="Nothing holds them back any more, and the relay sends them by itself; where it does"
            " not, see whether it runs",
            command="meshline doctor",
        ),
    ),
    LATE: (
        Step(do="See whether relay and workers run", command="meshline doctor"),
        _DESTINATIONS,
        Step(
            do="See where the events are",
            command="meshline events list --client {client} --workflow {workflow} --state routed",
        ),
    ),
    LOW_RATE: (
        Step(
            do="See which causes keep the events",
            command="meshline incidents list --client {client} --workflow {workflow}",
        ),
        Step(
            do="See the promise and what is kept of it",
            command="meshline sla list --client {client} --workflow {workflow}",
        ),
    ),
    FURTHER: (
        Step(
            do="See what the sender changed; these events break the contract in many ways",
            command="meshline quarantine diagnose {which}",
        ),
        _SHOW,
        _REPLAY,
        _JUNK,
    ),
}
"""Steps by the reason of an incident; in commands {which} is the incident, or an event's id."""

_RESUME = "meshline destinations resume {name} --why 'the reason'"

BLOCKED: Mapping[str, tuple[Step, ...]] = {
    PAUSED: (
        Step(do="See who paused {name}, why and until when", command="meshline destinations list"),
        Step(do="End the pause: what is held goes out, the oldest first", command=_RESUME),
    ),
    FAILING: (
        Step(
            do="{name} does not answer: bring it back; one delivery tries it now and then, and all"
            " go out when that succeeds",
            command="meshline destinations list",
        ),
        Step(do="When it is back, or to try at once: close its circuit breaker", command=_RESUME),
    ),
    UNAUTHORIZED: (
        Step(
            do="{name} refuses the login: renew it where its connector reads it, and restart the"
            " workers",
            command="meshline connectors list",
        ),
        Step(do="Then close its circuit breaker at once", command=_RESUME),
    ),
    RATE_LIMITED: (
        Step(
            do="{name} asked for a pause: what is held goes out by itself when it is over",
            command="meshline destinations list",
        ),
        Step(do="Only if it takes calls again before that: try at once", command=_RESUME),
    ),
    REDEFINED: (
        Step(
            do="A worker of {name} has a connector definition that nobody approved: give it the"
            " approved one and restart it; what is held goes out within two minutes",
            command="meshline doctor",
        ),
        Step(
            do="Or have the new definition approved: propose the workflow's file where it is",
            command="meshline change propose FILE",
        ),
    ),
}
"""Steps by the reason for which a destination, a connector or an action holds deliveries back."""
