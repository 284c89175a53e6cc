"""What would mend an incident, derived from a spread of its events that are not mended yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.incidents.incident import IncidentKind
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.operations.repair.propose_fix import propose_fix
from orchestrator.operations.repair.saved_recipes import recipes_that_help
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.recipes import SavedRecipe
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.incidents.page import IncidentView
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.quarantine.spread import spread_standing

_MOST_TRIED = 20  # events of each sort that are looked at one by one


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What of an incident is mended, and what would mend the rest."""

    client: str = ""  # of the incident
    workflow: str = ""  # its name
    left: int = 0  # events in quarantine that nobody amended
    amended: int = 0
    failing: int = 0  # of the amended events that were tried, those that still do not pass
    tried: int = 0
    findings: tuple[Finding, ...] = ()
    saved: tuple[SavedRecipe, ...] = ()  # recipes that would let all that were tried pass
    fix: tuple[str, ...] = ()  # commands, in order

    @property
    def is_mended(self) -> bool:
        """Whether only the replay is left."""
        return bool(self.amended) and not self.left and not self.failing

    def told(self) -> str | None:
        """How far it is mended, in one line; None where nobody amended anything."""
        if not self.amended:
            return None
        if self.left:
            amended = "1 event is" if self.amended == 1 else f"{self.amended} events are"
            left, rest = ("1 is", "it") if self.left == 1 else (f"{self.left} are", "these")
            return f"{amended} amended, {left} left; the fix is for {rest}"
        if self.failing:
            return (
                f"all {self.amended} events are amended, but {self.failing} of {self.tried} that"
                " were tried still do not pass"
            )
        return f"all {self.amended} events are amended; only the replay is left"

    def counted(self) -> dict[str, int]:
        """The counts as JSON."""
        return {
            "left": self.left,
            "amended": self.amended,
            "tried": self.tried,
            "failing": self.failing,
        }


def find_repair(store: Store, incident: IncidentView) -> Repair:
    """What would mend an incident; looks at bounded samples."""
    if not incident.standing:
        return Repair()
    number, sent = incident.id, incident.kind == IncidentKind.CONTRACT
    with store.read() as tx:
        left, some_left = spread_standing(tx, number, amended=False, most=_MOST_TRIED)
        amended, some_amended = spread_standing(tx, number, amended=True, most=_MOST_TRIED)
        failing = _failing(tx, incident, some_amended) if sent else []
        unmended = some_left or failing
        saved = (
            recipes_that_help(tx, incident.client, incident.workflow, unmended)
            if sent and unmended
            else []
        )
    about = Selection(incident=number, amended=False if left else None)
    findings = tuple(diagnose(store, about)) if sent else ()
    return Repair(
        client=incident.client,
        workflow=incident.workflow,
        left=left,
        amended=amended,
        failing=len(failing),
        tried=len(some_amended),
        findings=findings,
        saved=tuple(saved),
        fix=tuple(
            propose_fix(
                number,
                findings,
                saved=saved[0].recipe if saved else None,
                only_replay=bool(amended) and not unmended,
            )
        ),
    )


def _failing(tx: Tx, incident: IncidentView, ids: Sequence[str]) -> list[str]:
    """Those that as they are amended would be quarantined again by contract or routes."""
    live = live_workflow(tx, incident.client, incident.workflow)
    if live is None:
        return []
    workflow = WorkflowShelf().take(tx, live.id)
    payloads = effective_payloads(tx, ids)
    return [
        one
        for one in ids
        if one in payloads
        and (
            isinstance(validate(payloads[one], workflow), Rejected)
            or isinstance(route(payloads[one], workflow), Rejected)
        )
    ]
