"""Every error that Meshline raises on purpose, as one tree.

A fault that a person can mend is a `Refused`: it says what is wrong, where, and what to do instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MeshlineError(Exception):
    """Raised when Meshline stops on purpose; the base of all the others."""


class Refused(MeshlineError):
    """Raised when input is refused: one sentence, the field it is about, and the fix."""

    code = "refused"

    def __init__(self, detail: str, *, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.fix = fix

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where}{self.detail}{fix}"


class InvalidJson(Refused):
    """Raised when a body is not strict JSON: syntax, UTF-8, NaN, a doubled key, depth, range."""

    code = "invalid_json"


class InvalidTrigger(Refused):
    """Raised when a trigger lacks a field or has one of the wrong kind."""

    code = "invalid_trigger"


class PayloadTooLarge(Refused):
    """Raised when a body is over the configured size."""

    code = "payload_too_large"


class UnknownTrigger(Refused):
    """Raised when no live workflow of the client takes the trigger's type."""

    code = "unknown_trigger"


class ClientNotPermitted(Refused):
    """Raised when a key may not act for the client that the trigger names."""

    code = "client_not_permitted"


class KeyRefused(Refused):
    """Raised when the key is missing, unknown or revoked."""

    code = "key_refused"


class Forbidden(Refused):
    """Raised when the actor may not do what it asks for, though it may see what it is about."""

    code = "forbidden"


class LoginRefused(Refused):
    """Raised when a login, a session or an invitation is wrong, ended or used."""

    code = "login_refused"


class SignatureRefused(Refused):
    """Raised when a request does not prove that it comes from its source; nothing is kept of it."""

    code = "signature_refused"


class FormRefused(SignatureRefused):
    """Raised when a form does not come from a page, or with the key, that its source names."""

    code = "form_refused"


class IdempotencyConflict(Refused):
    """Raised when an idempotency key comes again with another payload."""

    code = "idempotency_conflict"


class NotFound(Refused):
    """Raised when what was named does not exist, or is not the asker's to see."""

    code = "not_found"


class IllegalMove(Refused):
    """Raised when an event is not in a state from which the move leads on."""

    code = "illegal_move"


class ChangedSinceSeen(Refused):
    """Raised when what somebody saw before they acted has changed; it says who changed what."""

    code = "changed_since_seen"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong in a file, or that its author should know."""

    path: str  # dotted, as the author wrote it: "routes.0.when"; "" is the whole file
    problem: str
    fix: str  # what to write instead
    line: int | None = None  # 1-based
    is_note: bool = False  # it refuses nothing

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line else ""
        path = f"{self.path}: " if self.path else ""
        return f"{line}{path}{self.problem}; {self.fix}"


class InvalidFile(Refused):
    """Raised when a file that people write is refused.

    `faults` holds every fault in it, `notes` what its author should know besides.
    """

    code = "invalid_file"

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.name = name
        self.faults = tuple(one for one in faults if not one.is_note)
        self.notes = tuple(one for one in faults if one.is_note)
        rest = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{name}: {self.faults[0]}{rest}")


class NothingToChange(Refused):
    """Raised when no step of a recipe finds anything in a payload."""

    code = "nothing_to_change"


class NothingSelected(Refused):
    """Raised when what an act selects is nothing; a command whose filters found none is done."""

    code = "nothing_selected"


class WorkflowConflict(Refused):
    """Raised when a workflow would be the second live one for its client and trigger."""

    code = "workflow_conflict"


class StoreUnavailable(MeshlineError):
    """Raised when the database cannot be used now; `reason` is for strangers."""

    def __init__(self, message: str, *, reason: str = "the store does not answer") -> None:
        super().__init__(message)
        self.reason = reason


class SchemaMismatch(MeshlineError):
    """Raised when the database's schema is not this release's; it says what to run."""


class BrokerUnavailable(MeshlineError):
    """Raised when the broker does not answer; the store keeps what is due."""


class StartupFailed(MeshlineError):
    """Raised when a process cannot start: a port in use, a binary missing, a setting wrong."""


class ConnectorError(MeshlineError):
    """Raised when a destination's call fails; `permanent` says that trying again cannot help."""

    permanent = False


class DestinationRefused(ConnectorError):
    """Raised when the destination answered that the request is wrong and will stay wrong."""

    permanent = True


class Unauthorized(DestinationRefused):
    """Raised when the destination does not take our credentials, whatever is sent."""


class AlreadyThere(DestinationRefused):
    """Raised when the destination refuses because the record is there; `record_id` if it says.

    `by_key` says that it is found by the delivery's key: then an earlier call has made it. Else it
    may be anybody's.
    """

    def __init__(self, message: str, *, record_id: str | None = None, by_key: bool = False) -> None:
        super().__init__(message)
        self.record_id = record_id
        self.by_key = by_key


class DestinationUnavailable(ConnectorError):
    """Raised when the destination certainly stored nothing: not reached, or it said so."""


class ChangedMeanwhile(DestinationUnavailable):
    """Raised when somebody changed a record since it was looked at: nothing was stored."""


class NotReached(DestinationUnavailable):
    """Raised when no connection came about: nothing of this one event reached the destination."""


class RateLimited(DestinationUnavailable):
    """Raised when the destination asks to come back later; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(ConnectorError):
    """Raised when a request went out and no answer came: the record may or may not be there."""


class StepUnknown(OutcomeUnknown):
    """Raised when a step of a record may be done already, and nothing tells whether it is."""
