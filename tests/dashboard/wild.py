"""A store whose names, values and words are as long, as foreign and as hostile as they come."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.incidents.handle import acknowledge_incidents, assign_incidents
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.clocks.alerts import add_test, announce_incidents
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.recipes import save_recipe
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.views.quarantine.selection import Selection
from tests.dashboard.filled import reject_what_is_due
from tests.leads import CATALOG, claim_groups, drive_to_routed, publish_leads, refuse_delivery

LONG = "x" * 200
SAID = (
    LONG,
    "客户名单格式错误、请联系销售部门重新导出数据并再次上传到系统中、谢谢您的配合与理解、我们会尽快处理",
    "خطأ في نموذج العميل שגיאה בטופס 🧑🏽‍💻👩‍👩‍👧 e\u0301e\u0323 ปัญหา हिन्दी",
    "<script>alert(1)</script>{{7*7}}{% raw x %}",
    "\x1b[31mred\x1b[0m\ttab\nforged: line\r\x07\x9b31m\x7f",
    "\u202egnp.exe\u2066 zero\u200bwidth\u2060\ufeff tier\u3164",
    "=1+1",
    "`rm -rf /` and 'quotes' \"double\" $HOME \\ backslash",
)
CLIENT = "acme-" + "c" * 58
WORKFLOW = "leads-" + "w" * 57
DESK = "desk-" + "d" * 58
FOREIGN = f"用户{'很' * 20}@例子.公司.example"
TEXT = f"""\
workflow: {WORKFLOW}
client: {CLIENT}
title: "新线索会到达入职台、عميل جديد <script>alert(1)</script> {"t" * 120}"
trigger: {{type: {"lead.created." + "y" * 180}}}
owners:
  owner: {FOREIGN}
  recovery_lead: {"r" * 60}@{"s" * 60}.example
  approver: {FOREIGN}
  backstop: {FOREIGN}
runbook: "=1+1 {{{{7*7}}}} <script>alert(1)</script> 先打电话给发送方"
contract:
  type: object
  additionalProperties: false
  required: [email, tier, 客户等级]
  properties:
    email: {{type: string}}
    tier: {{enum: [enterprise, pro]}}
    客户等级: {{type: string}}
    {"f" * 200}: {{type: string}}
facts: {{email: data.email, tier: data.tier, level: 'data["客户等级"]'}}
routes:
  - {{when: 'tier == "enterprise"', to: [{DESK}, crm]}}
  - {{when: 'tier == "pro" && level != "无"', to: [crm]}}
destinations:
  crm:
    connector: fake
    action: record
    send: {{email: email, tier: tier}}
    confirm: [email, tier]
  {DESK}:
    connector: fake
    action: record
    send: {{{LONG}: '"Onboard " + email'}}
    confirm: [{LONG}]
retries: {{limit: 2, first: 1s, factor: 2, ceiling: 1m}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""


@dataclass(frozen=True, kw_only=True)
class Wild:
    """What there is to look at."""

    broken: tuple[str, ...]  # events that break the contract, one for each of SAID
    refused: str
    discarded: str
    token: str  # of a replay plan
    letters: tuple[int, ...]


def fill_wild(store: Store) -> Wild:
    """Publish a workflow of wild names, and bring wild events to every fate."""
    publish_leads(store)
    publish_leads(store, TEXT)
    broken = tuple(_accept(store, said, {"email": said, said: said, "tier": said}) for said in SAID)
    reject_what_is_due(store)
    good = {"email": SAID[1], "tier": "enterprise", "客户等级": SAID[2]}
    refused = tuple(_accept(store, f"good {said}", good) for said in SAID)
    _refuse(store, refused)
    discard_events(store, Selection(ids=(broken[2],)), why=SAID[4], actor=login(f"cli:{SAID[5]}"))
    fix = parse_amendments([], [f"email={SAID[3]}", "tier=pro", "客户等级=高"], [LONG])
    fix_events(store, Selection(ids=(broken[0],)), fix, actor=login(f"cli:{SAID[2]}"))
    plan = plan_replay(
        store, Selection(ids=(broken[0], *refused)), catalog=CATALOG, actor=login(f"cli:{SAID[1]}")
    )
    start_plan_job(store, plan.token, actor=login(f"cli:{SAID[1]}"), why=SAID[4], send_again=True)
    _hold(store)
    _tell(store)
    letters = _bury(store)
    return Wild(
        broken=broken, refused=refused[0], discarded=broken[2], token=plan.token, letters=letters
    )


def _accept(store: Store, key: str, payload: dict[str, str]) -> str:
    trigger = Trigger(
        client=CLIENT,
        type="lead.created." + "y" * 180,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key,
    )
    return accept_batch(store, [trigger], actor=f"key:{SAID[5]}")[0].id


def _refuse(store: Store, ids: tuple[str, ...]) -> None:
    said = dict(zip(ids, SAID, strict=True))
    for group in claim_groups(store):
        drive_to_routed(store, group)
        for one in group.ids:
            refuse_delivery(store, group, one, DESK, said[one])


def _hold(store: Store) -> None:
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        pause_circuit(tx, f"{CLIENT}/{WORKFLOW}/crm", why=SAID[1], actor=f"cli:{SAID[2]}")
        pause_circuit(tx, f"{CLIENT}/{WORKFLOW}/{DESK}", why=SAID[4], actor=f"cli:{SAID[3]}")
        pause_circuit(tx, "acme/leads/crm", why=LONG, actor=f"cli:{LONG}")
        note_failures(tx, "fake", ["an-event"], error=SAID[1], policy=policy, actor="worker")


def _tell(store: Store) -> None:
    for said in SAID:
        create_key(
            store, clients=[CLIENT], label=said.replace("\n", " "), actor=login(f"cli:{said}")
        )
    assign_incidents(store, [1], owner=FOREIGN, actor=login(f"cli:{SAID[1]}"), why=SAID[4])
    acknowledge_incidents(store, [1], actor=login(f"cli:{SAID[3]}"), why=SAID[2], lasts="2h")
    steps = [
        {"rename": SAID[1][:40], "to": "tier"},
        {"set": LONG, "value": SAID[3], "reason": SAID[5]},
    ]
    with store.write() as tx:
        announce_incidents(tx)
        add_test(tx, FOREIGN, actor=f"cli:{SAID[5]}")
        recipe = recipe_of(steps, note=SAID[2])
        save_recipe(tx, recipe, CLIENT, WORKFLOW, actor=f"cli:{SAID[5]}")


def _bury(store: Store) -> tuple[int, ...]:
    letters = [
        DeadLetter(
            queue="meshline",
            task=said,
            error=said,
            headers=None,
            content_type=said,
            body=said.encode(),
        )
        for said in SAID
    ]
    with store.write() as tx:
        kept = [keep_dead_letter(tx, one) for one in letters]
    return tuple(one for one in kept if one)
