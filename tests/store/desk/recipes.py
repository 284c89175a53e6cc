"""A recipe that mends renamed leads."""

from __future__ import annotations

from orchestrator.domain.recipes.file import recipe_of

RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])
