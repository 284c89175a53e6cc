"""Every action over HTTP that is shipped, with its stand-in."""

from __future__ import annotations

from tests.vendors.stand_ins import (
    freshdesk,
    hubspot,
    intercom,
    jira,
    own_systems,
    receivers,
    salesforce,
    slack,
    zendesk,
)

MODULES = (zendesk, hubspot, slack, receivers, intercom, salesforce, freshdesk, jira, own_systems)
CASES = tuple(case for module in MODULES for case in module.CASES)
