"""Every error that the SDK raises, as one tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshline.event import Emitted


class MeshlineError(Exception):
    """Raised when a trigger was not accepted; the base of all the others.

    `emitted` holds what earlier batches of the same `emit_many` had got accepted.
    """

    emitted: tuple[Emitted, ...] = ()


class Refused(MeshlineError):
    """Raised when a trigger is wrong and will stay wrong: what, where, and what to do instead."""

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
        self.status = status  # of the door's answer; None: refused here, nothing was sent
        self.code = code  # stable, for programs
        self.field = field
        self.fix = fix
        self.index = index  # which of many events, from 0
        self.errors = tuple(errors)  # the details, where the door gives any

    def at(self, index: int) -> Refused:
        """The same, said of the event at `index`."""
        return Refused(
            self.detail,
            status=self.status,
            code=self.code,
            field=self.field,
            fix=self.fix,
            index=index,
            errors=self.errors,
        )


class Unreachable(MeshlineError):
    """Raised when no door gave an answer of its own in time. Its cause is the last failure.

    The trigger may have been accepted all the same: repeat it with the same idempotency key.
    """

    idempotency_key: str | None = None  # of the one trigger that `emit` was given

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds that the door asked for
