"""What a mail definition must fulfil as a whole, beyond words and types."""

from __future__ import annotations

from connectors.definition.collect_faults import Report, collected
from connectors.definition.references import is_reference
from connectors.definition.shared_keys import SmtpDefinition
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.addresses import is_mailable


def smtp_faults(definition: SmtpDefinition) -> list[Fault]:
    """Every fault of a definition whose words and types are right."""

    def check(report: Report) -> None:
        if not is_reference(definition.sender) and not is_mailable(definition.sender):
            report("from", "it is not a mail address", "write one plain address, or env:NAME")

    return collected(check)
