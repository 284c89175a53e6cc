"""A store whose workflow marks personal fields, with an event at every fate that quotes them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events, mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.deliveries import save_done, take_deliveries
from orchestrator.store.drive.stages import Saving, hand_back, save_delivered
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.views.quarantine.selection import Selection
from tests.dashboard.filled import reject_what_is_due
from tests.leads import (
    CATALOG,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
    refuse_delivery,
)
from tests.leads import TEXT as UNMARKED
from tests.store.approvals.asked import drive

TESTER = login("cli:tester")
SECRET = "zzsecret"
"""What every personal value has in it, and nothing else."""

EMAIL = f"ada.{SECRET}@acme.example"
GIVER = f"Grace {SECRET} Hopper"
TEXT = (
    UNMARKED.replace("x-pii: false", "x-pii: email")
    .replace("required: [email, tier]", "required: [email, tier, lines]")
    .replace(
        "    tier: {enum: [enterprise, pro]}\n",
        """\
    tier: {enum: [enterprise, pro]}
    consent: {type: boolean, x-pii: true}
    lines:
      type: array
      minItems: 1
      items:
        type: object
        required: [giver]
        properties: {giver: {type: string, x-pii: name}}
""",
    )
    .replace(
        "facts: {email: data.email,",
        "facts: {greeting: '\"Dear \" + data.email', email: data.email,",
    )
    .replace("send: {email: email, tier: tier}", "send: {email: email, tier: tier, hi: greeting}")
    .replace(
        "to: [crm, desk]",
        "to: [crm, desk], approve: {within: 4h, show: [email, tier, greeting]}",
    )
    .replace("to: [crm]", "to: [crm, gifts]")
    .replace(
        "retries:",
        "  gifts: {connector: fake, action: record, each: data.lines, as: line, key: line.giver,"
        " send: {to: line.giver}, confirm: [to]}\nretries:",
    )
)


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What there is to look at."""

    delivered: str
    refused: str  # by its destination, which quotes the address
    broken: str  # its address is none
    renamed: str  # its form calls the address and the tier otherwise
    fixed: str  # a person gave it another address
    mended: str  # a recipe did
    discarded: str
    held: str
    asked: str  # it waits for its approver
    token: str  # of a replay plan
    letter: int
    job: int  # that runs the plan

    @property
    def events(self) -> tuple[str, ...]:
        """All of them."""
        return (
            self.delivered, self.refused, self.broken, self.renamed, self.fixed, self.mended,
            self.discarded, self.held, self.asked,
        )  # fmt: skip


def fill_marked(store: Store) -> Marked:
    """Publish the workflow and bring an event to each fate."""
    publish_leads(store, TEXT)
    delivered = accept_lead(store, EMAIL)
    _deliver(store, delivered)
    asked = accept_lead(store, "9", tier="enterprise")
    drive(store)
    refused = accept_lead(store, "2")
    _refuse(store, refused)
    broken = accept_lead(store, "4", email=f"no mail of {SECRET}", consent=f"yes, {SECRET}")
    renamed = accept_lead(
        store, "5", email=None, tier=None, mail=EMAIL, customer_tier="pro", **{GIVER: 1}
    )
    fixed, mended, discarded = (
        accept_lead(store, f"{number}", email=f"{number} {SECRET}") for number in (6, 7, 8)
    )
    reject_what_is_due(store)
    fix = parse_amendments([], [f"email=fixed.{SECRET}@acme.example"], [])
    fix_events(store, Selection(ids=(fixed,)), fix, actor=TESTER)
    recipe = recipe_of(
        [
            {"map": "email", "values": {f"7 {SECRET}": f"mapped.{SECRET}@acme.example"}},
            {"set": "consent", "value": True, "reason": "it is in the form's text"},
        ],
        note=None,
    )
    mend_events(store, Selection(ids=(mended,)), recipe, actor=TESTER)
    discard_events(store, Selection(ids=(discarded,)), why=f"8 {SECRET} asked for it", actor=TESTER)
    held = accept_lead(store, "3")
    _hold(store)
    plan = plan_replay(
        store, Selection(ids=(refused, fixed, broken)), catalog=CATALOG, actor=TESTER
    )
    return Marked(
        delivered=delivered, refused=refused, broken=broken, renamed=renamed, fixed=fixed,
        mended=mended, discarded=discarded, held=held, asked=asked, token=plan.token,
        letter=_bury(store),
        job=start_plan_job(store, plan.token, actor=TESTER, send_again=True),
    )  # fmt: skip


def accept_lead(store: Store, key: str, **fields: object) -> str:
    """Accept a lead; a field that is None is left out."""
    whole: dict[str, object] = {
        "email": EMAIL, "tier": "pro", "consent": True, "lines": [{"giver": GIVER}], **fields,
    }  # fmt: skip
    payload = {name: value for name, value in whole.items() if value is not None}
    trigger = Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key,
    )
    return accept_batch(store, [trigger], actor="key:test")[0].id


def _deliver(store: Store, event_id: str) -> None:
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        taken = take_deliveries(tx, [event_id], epoch=group.epoch, run_id="run-1", run_seconds=30)
        done = [(event_id, one.name, "confirmed", f"contact-{EMAIL}") for one in taken]
        save_done(tx, "run-1", done)
        save_delivered(tx, [event_id], lead_workflow(TEXT), _saving(group))


def _refuse(store: Store, event_id: str) -> None:
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    said = f"crm: HTTP 422: {EMAIL.upper()} and {GIVER[:14]}... are not known"
    refuse_delivery(store, group, event_id, "crm", said)


def _hold(store: Store) -> None:
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        said = f"HTTP 500 for {EMAIL}"
        note_failures(tx, "fake", ["an-event"], error=said, policy=policy, actor="worker")
        pause_circuit(tx, "acme/leads/desk", why="its quota is used up", actor="cli:tester")
        hold_deliveries(
            tx,
            group.ids,
            ["crm"],
            workflow=lead_workflow(TEXT),
            epoch=group.epoch,
            circuit="fake",
            reason="failing",
            actor="worker",
        )
        hand_back(tx, group.ids, group.epoch)


def _bury(store: Store) -> int:
    letter = DeadLetter(
        queue="meshline",
        task="meshline.validate",
        error="its body is not a list",
        headers=strict_json.dumps({"to": EMAIL}),
        content_type="application/json",
        body=strict_json.dumps({"email": EMAIL}).encode(),
    )
    with store.write() as tx:
        kept = keep_dead_letter(tx, letter)
    assert kept
    return kept


def _saving(group: Group) -> Saving:
    return Saving(actor="worker:validate", epoch=group.epoch, lease_seconds=60)
