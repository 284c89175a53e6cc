"""Past leads, and a proposal that decides otherwise about some of them."""

from __future__ import annotations

import random

from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.engine import Store
from tests.leads import TEXT, lead

NEW_TEXT = (
    TEXT.replace("enum: [enterprise, pro]", "enum: [enterprise, pro, free]")
    .replace("""'tier == "pro"', to: [crm]""", """'tier in ["pro", "free"]', to: [crm, desk]""")
    .replace("tier: tier}, confirm", "tier: 'tier + \"!\"'}, confirm")
)
"""The pro go to the desk too, the free pass, and the CRM gets another tier."""

WAS = {"enterprise": "crm, desk", "pro": "crm", "free": "contract_violation"}
IS = {"enterprise": "crm, desk", "pro": "crm, desk", "free": "crm, desk"}


def accepted(store: Store, seed: int, count: int = 90) -> dict[str, str]:
    """Events by id with the tier of each."""
    chance = random.Random(seed)
    tiers = [chance.choice(["enterprise", "pro", "pro", "free", "gold"]) for _ in range(count)]
    leads = [lead(number, tier=tier) for number, tier in enumerate(tiers)]
    ids = [one.id for one in accept_batch(store, leads, actor="key:test")]
    return dict(zip(ids, tiers, strict=True))
