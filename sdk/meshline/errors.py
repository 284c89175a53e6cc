"""Every error that the SDK raises, as one tree that says whose fault it is.

- `Refused`: the event's. It is wrong, and wrong for good.
- `Misconfigured`: the set-up's: an address, a key, a certificate, a proxy. Keep the event.
- `Unreachable`: nobody's for now: no answer came in time. Keep the event.
- `SpoolFailed`: the local spool's, which cannot be written; `SpoolFull` where it is full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshline.event import Emitted


class MeshlineError(Exception):
    """Raised when a trigger was not accepted; the base of all the others.

    `emitted` holds what earlier batches of the same `emit_many` had got accepted.
    """

    idempotency_key: str | None = None  # of the event; None: the error is not of one event
    emitted: tuple[Emitted, ...] = ()


class Explained(MeshlineError):
    """Raised with a reason that a person can mend: what is wrong, where, and what to do instead."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        code: str = "refused",
        field: str | None = None,
        fix: str | None = None,
        index: int | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        which = "" if index is None else f"event {index}: "
        where = f"{field}: " if field else ""
        super().__init__(f"{which}{where}{detail}" + (f"; {fix}" if fix else ""))
        self.detail = detail
        self.status = status  # of the answer; None: found here, nothing was answered
        self.code = code  # stable, for programs
        self.field = field
        self.fix = fix
        self.index = index  # which of many events, from 0
        self.errors = tuple(errors)  # the details, where the door gives any

    def at(self, index: int | None) -> Explained:
        """The same, said of the event at `index`; None: of the only one."""
        moved = type(self)(
            self.detail,
            status=self.status,
            code=self.code,
            field=self.field,
            fix=self.fix,
            index=index,
            errors=self.errors,
        )
        moved.idempotency_key, moved.emitted = self.idempotency_key, self.emitted
        return moved


class Refused(Explained):
    """Raised when an event is wrong and will stay wrong: sending it again does not help."""


class Misconfigured(Explained):
    """Raised when the way to the door is wrong, and the event is not.

    An expired certificate, a key that is not taken, a proxy that answers itself. Keep the event,
    and send it again with the same idempotency key when that is mended.
    """


class Unreachable(MeshlineError):
    """Raised when no door gave an answer of its own in time. Its cause is the last failure.

    The trigger may have been accepted all the same: repeat it with the same idempotency key.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds that the door asked for


class SpoolFailed(MeshlineError):
    """Raised when an event was not accepted, and the spool could not keep it either."""


class SpoolFull(SpoolFailed):
    """Raised when the spool holds as much as it may, or its disk is full. Nothing was dropped."""
