"""What would mend an incident, derived from a spread of its events that are not mended yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.incidents.incident import IncidentKind
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.repair.diagnose import diagnose_events
from orchestrator.operations.repair.propose_fix import propose_fix
from orchestrator.operations.repair.saved_recipes import recipes_that_help
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.drift_samples import MOST_BROKEN
from orchestrator.store.desk.recipes import SavedRecipe
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.incidents.page import IncidentView
from orchestrator.store.views.incidents.standing import (
    MOST_COUNTED,
    Standing,
    evenly,
    look_at_standing,
)

_MOST_TRIED = 20  # events of each sort that are looked at one by one


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What of an incident is mended, and what would mend the rest."""

    client: str = ""  # of the incident
    workflow: str = ""  # its name
    counted: int = 0  # events in quarantine, the oldest, of which the next two are
    left: int = 0  # that nobody amended
    amended: int = 0
    others_left: bool = False  # all that were counted are amended, and some newer ones are not
    failing: int = 0  # of the amended events that were tried, those that still do not pass
    tried: int = 0
    findings: tuple[Finding, ...] = ()
    saved: tuple[SavedRecipe, ...] = ()  # recipes that would let all that were tried pass
    fix: tuple[str, ...] = ()  # commands, in order

    @property
    def is_mended(self) -> bool:
        """Whether only the replay is left."""
        return bool(self.amended) and not (self.left or self.others_left or self.failing)

    def told(self) -> str | None:
        """How far it is mended, in one line; None where nobody amended anything."""
        if not self.amended:
            return None
        if self.others_left:
            return f"the oldest {self.amended:,} events are amended; the fix is for those left"
        if self.left:
            amended = "1 event is" if self.amended == 1 else f"{self.amended} events are"
            left, rest = ("1 is", "it") if self.left == 1 else (f"{self.left} are", "these")
            among = f"of the oldest {MOST_COUNTED:,}, " if self.counted == MOST_COUNTED else ""
            return f"{among}{amended} amended, {left} left; the fix is for {rest}"
        if self.failing:
            return (
                f"all {self.amended} events are amended, but {self.failing} of {self.tried} that"
                " were tried still do not pass"
            )
        return f"all {self.amended} events are amended; only the replay is left"

    def counts(self) -> dict[str, int | bool]:
        """The counts as JSON."""
        return {
            "counted": self.counted,
            "left": self.left,
            "amended": self.amended,
            "others_left": self.others_left,
            "tried": self.tried,
            "failing": self.failing,
        }


def find_repair(store: Store, incident: IncidentView) -> Repair:
    """What would mend an incident; reads a bounded number of its events, however many it has."""
    if not incident.standing:
        return Repair()
    number, sent = incident.id, incident.kind == IncidentKind.CONTRACT
    with store.read() as tx:
        found = look_at_standing(tx, number, incident.standing)
        live = _live(tx, incident) if sent else None
        some_amended = evenly(found.some_amended, _MOST_TRIED)
        failing = _failing(tx, live, some_amended) if live else []
        unmended = evenly(found.some_left, _MOST_TRIED) or failing
        saved = recipes_that_help(tx, live, unmended) if live and unmended else []
        findings = _findings(tx, incident, live, found) if sent else ()
    return Repair(
        client=incident.client,
        workflow=incident.workflow,
        counted=found.counted,
        left=found.left,
        amended=found.amended,
        others_left=found.others_left,
        failing=len(failing),
        tried=len(some_amended),
        findings=findings,
        saved=tuple(saved),
        fix=tuple(
            propose_fix(
                number,
                findings,
                saved=saved[0].recipe if saved else None,
                only_replay=bool(found.amended) and not unmended,
            )
        ),
    )


def _live(tx: Tx, incident: IncidentView) -> CompiledWorkflow | None:
    live = live_workflow(tx, incident.client, incident.workflow)
    return None if live is None else WorkflowShelf().take(tx, live.id)


def _findings(
    tx: Tx, incident: IncidentView, live: CompiledWorkflow | None, found: Standing
) -> tuple[Finding, ...]:
    """What the sender changed, by events that are not mended, or by all where each is amended."""
    return diagnose_events(
        tx,
        evenly(found.some_left or found.some_amended, MOST_BROKEN),
        client=incident.client,
        workflow=incident.workflow,
        contract=live.contract.schema if live else None,
    )


def _failing(tx: Tx, live: CompiledWorkflow, ids: Sequence[str]) -> list[str]:
    """Those that as they are amended would be quarantined again by contract or routes."""
    payloads = effective_payloads(tx, ids)
    return [
        one
        for one in ids
        if one in payloads
        and (
            isinstance(validate(payloads[one], live), Rejected)
            or isinstance(route(payloads[one], live), Rejected)
        )
    ]
