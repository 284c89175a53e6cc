"""A store of two clients in which something waits, failed, was told and was done everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.access.actor import process
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.changes.approvers import require_approvals
from orchestrator.store.clocks.alerts import (
    add_test,
    announce_incidents,
    claim_alert,
    mark_failed,
    mark_sent,
)
from orchestrator.store.clocks.poison import note_poison
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.drive.claim import give_back
from orchestrator.store.quarantine.dead_letters import (
    DeadLetter,
    LetterState,
    close_dead_letter,
    keep_dead_letter,
)
from tests.dashboard.filled import Filled, fill
from tests.leads import LIMITS, TEXT, accept_leads, claim_groups, lead, lead_workflow, publish_leads
from tests.store.approvals.asked import ASKING, route_group
from tests.store.stalled import fail, held

STEWARD = "platform@agency.example"
SECRET = b"a body that may be anybody's"


@dataclass(frozen=True, kw_only=True)
class Peopled:
    """What there is to look at."""

    filled: Filled
    failing: str  # an event whose delivery to acme/leads/crm fails for now
    held: str  # an event whose delivery waits for a pause of acme/leads/desk
    open_letter: int
    dropped_letter: int
    change: str  # the token of one of acme's leads that awaits an approval
    asked: str  # an event of acme's refunds that awaits one


def people(store: Store) -> Peopled:
    """Fill a store: acme's leads at every fate, bolt's with nothing but an event."""
    filled = fill(store)
    failing = fail(store, "crm: HTTP 503: try again later")
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/desk", why="a migration", actor="cli:ada")
    (waiting,) = held(store, 1, circuit="acme/leads/desk", tier="enterprise")
    bolt = TEXT.replace("client: acme", "client: bolt").replace("@acme", "@bolt")
    publish_leads(store, bolt)
    accept_leads(store, 1, client="bolt")
    letters = [_bury(store, SECRET), _bury(store, b"junk")]
    with store.write() as tx:
        note_poison(tx, steward=STEWARD, actor="keeper")
        close_dead_letter(tx, letters[1], state=LetterState.DROPPED, why="junk", actor="cli:ada")
        announce_incidents(tx)
        numbers = [add_test(tx, f"{name}@acme.example", actor="cli:ada") for name in ("eve", "dan")]
        for number, way in zip(numbers, ("mail", None), strict=True):
            alert = claim_alert(tx, number)
            assert alert
            if way:
                mark_sent(tx, alert, way=way, failed="env:SLACK_URL: the service did not take it")
            else:
                mark_failed(tx, alert, "mail: the server said 550", wait=None)
    return Peopled(
        filled=filled,
        failing=failing,
        held=waiting,
        open_letter=letters[0],
        dropped_letter=letters[1],
        asked=_ask(store),
        change=_propose(store),
    )


def _ask(store: Store) -> str:
    """A refund that waits for its approver's yes."""
    text = ASKING.replace("workflow: leads", "workflow: refunds")
    publish_leads(store, text.replace("lead.created", "refund.asked"))
    trigger = lead(1, type="refund.asked", tier="enterprise")
    (accepted,) = accept_batch(store, [trigger], actor="key:test")
    for group in claim_groups(store, replace(LIMITS, groups_in_flight=100)):
        if accepted.id in group.ids:
            route_group(store, group)
        else:  # the others stay as they are
            with store.write() as tx:
                give_back(tx, group)
    return accepted.id


def _propose(store: Store) -> str:
    """From here on acme's versions go live only with an approval."""
    with store.write() as tx:
        require_approvals(tx, "acme", cause="a test", actor="cli:ada")
    later = lead_workflow(TEXT.replace("15m", "30m"))
    why = "the desk is open for longer"
    done = publish_workflow(store, later, actor=process("test"), why=why)
    assert done.change is not None and done.version is None
    return done.change


def _bury(store: Store, body: bytes) -> int:
    letter = DeadLetter(
        queue="meshline", task="workers.chain.route", error="no such task", body=body, headers=None
    )
    with store.write() as tx:
        return keep_dead_letter(tx, letter) or 0
