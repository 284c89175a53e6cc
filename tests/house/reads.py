"""Commands that only read."""

from __future__ import annotations

READS = {
    *("audit", "doctor", "events list", "events show", "incidents list", "incidents show"),
    *("incidents work", "quarantine list", "quarantine show", "quarantine diagnose"),
    *("quarantine recipes", "quarantine plan list", "quarantine plan show", "sla list"),
    *("jobs list", "jobs show"),
    *("destinations list", "alerts list", "dead-letters list", "dead-letters show", "keys list"),
    *("people list", "people show", "people signing-key list"),
    *("change check", "change diff", "change prove", "change rollout"),
    *(
        "workflow check",
        "workflow try",
        "workflow test",
        "workflow list",
        "workflow show",
        "workflow graph",
    ),
    *("change list", "change show", "approvals list", "approvals show"),
    *("connectors list", "connectors show", "connectors check", "connectors schema"),
    *("sources list", "sources check", "sources try"),
}
"""Commands that look and change nothing."""
