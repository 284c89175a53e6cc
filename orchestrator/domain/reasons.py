"""Why an event is in quarantine: the codes that people filter and script by."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One code a cause; the sentence beside it in the store is for people."""

    CONTRACT_VIOLATION = "contract_violation"  # the payload breaks the contract
    CONTRACT_LIMIT = "contract_limit"  # the contract takes too many steps on this payload
    MISSING_FACT = "missing_fact"  # a route or a field needs a fact that is not there
    NO_ROUTE = "no_route"  # no route matched
    RULE_ERROR = "rule_error"  # a CEL rule could not be computed on this payload
    DUPLICATE_ITEM = "duplicate_item"  # two items of a list have the same key
    DESTINATION_REFUSED = "destination_refused"  # the destination said no for good
    HANDOFF_MISMATCH = "handoff_mismatch"  # the record read back is not what was sent
    UNKNOWN_OUTCOME = "unknown_outcome"  # sent, no answer, and no way to look it up
    UNDO_FAILED = "undo_failed"  # what was made could not be taken back
    RETRIES_EXHAUSTED = "retries_exhausted"  # the last retry failed
    CONNECTOR_MISSING = "connector_missing"  # this worker does not know the connector
    START_LIMIT = "start_limit"  # started again and again without progress
    APPROVAL_REFUSED = "approval_refused"  # the approver said no to what would be sent
    APPROVAL_LATE = "approval_late"  # nobody decided in time about what would be sent
    NO_WORKFLOW = "no_workflow"  # a source sent it, and no live workflow takes its type
    CONFLICTING_DUPLICATE = "conflicting_duplicate"  # a source sent its key with another payload
    POISON_MESSAGE = "poison_message"  # a broker message that no worker can read
