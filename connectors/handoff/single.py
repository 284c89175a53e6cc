"""One delivery to its proof: the order of look-up, create and read-back.

The answer is always an Outcome; what may have been stored is never taken for
not stored, and a record whose id is known is read, never made again.
"""

from __future__ import annotations

import asyncio
import math
import time
import types
from collections.abc import Coroutine, Generator
from dataclasses import replace
from traceback import extract_tb

from orchestrator.domain.delivery.comparing import differences
from orchestrator.domain.delivery.handoff import (
    Action,
    Blame,
    Confirmed,
    Connector,
    Failed,
    Idempotency,
    Made,
    Mismatched,
    Outcome,
    Outgoing,
    Proof,
    Receipted,
    Stepwise,
    TakenBack,
)
from orchestrator.domain.errors import (
    AlreadyThere,
    ChangedMeanwhile,
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    RateLimited,
    StepUnknown,
    Unauthorized,
)
from orchestrator.domain.text.masking import masked, masked_in

_NEVER_FOLDED = (Idempotency.LOOKUP, Idempotency.NONE)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0  # seconds between two reads of a record that lags behind


async def hand_over(
    connector: Connector,
    call: Outgoing,
    *,
    confirm: tuple[str, ...],
    look_first: bool,
    known: str | None = None,
    undo: bool = False,
    longest: float = math.inf,
    action: Action | None = None,
) -> Outcome:
    """Hand over one delivery within its action's time; never raises, except on cancellation.

    `look_first` says that an earlier call's outcome is unknown: it is looked up, or sent again with
    the tool's own key, or, where there is neither, left to a person. `known` is the record that an
    earlier call made: it is only read, and with `undo` taken back. Who knows the call's action
    already gives it.
    """
    action = action or connector.actions.get(call.action)
    if action is None:
        told = f"{connector.name} has no action {call.action}"
        return Failed(error=told, permanent=True, blame=Blame.OURS)
    seconds = min(longest, action.timeout_seconds)
    handoff = Handoff(
        connector, action, call,
        may_be_there=look_first, known=known, last_moment=time.monotonic() + seconds,
    )  # fmt: skip
    problem = handoff.problem(confirm, undo=undo)
    if problem is not None:
        return problem
    return await guarded(handoff, handoff.take_back() if undo else handoff.run(confirm), seconds)


async def guarded(
    handoff: Handoff, work: Coroutine[object, object, Outcome], seconds: float
) -> Outcome:
    """The outcome of a handoff's work within so long, whatever it raises."""
    try:
        return await _within(seconds, work)
    except ConnectorError as error:
        return handoff.failed_by(error)
    except TimeoutError:
        return handoff.failed(f"it took longer than {seconds:g} s", blame=Blame.SYSTEM)
    except Exception as error:  # noqa: BLE001 -- a fault in a connector must not become a lost delivery
        return handoff.failed(place_of(error), blame=Blame.OURS)


async def _within(seconds: float, work: Coroutine[object, object, Outcome]) -> Outcome:
    """Await `work` for at most so long. Raises TimeoutError.

    The clock is started only when the work first waits: a timer costs more than a whole handoff
    that does no I/O.
    """
    try:
        waiting_for = work.send(None)
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome
    async with asyncio.timeout(seconds):
        return await _resumed(work, waiting_for)


@types.coroutine
def _resumed(
    work: Coroutine[object, object, Outcome], waiting_for: object
) -> Generator[object, object, Outcome]:
    """Go on with a coroutine that was begun by hand, in the task that began it."""
    try:
        while True:
            try:
                value = yield waiting_for
            except BaseException as error:  # noqa: BLE001 -- a cancellation is the work's to see
                waiting_for = work.throw(error)
            else:
                waiting_for = work.send(value)
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome


class Handoff:
    """One delivery under way; it knows at every moment whether the record may be there."""

    def __init__(
        self,
        connector: Connector,
        action: Action,
        call: Outgoing,
        *,
        may_be_there: bool,
        known: str | None,
        last_moment: float,
    ) -> None:
        self._connector = connector
        self._action = action
        self._call = call
        self._may_be_there = may_be_there
        self._record_id = known
        self._seen = call.seen
        self._fresh = not may_be_there and known is None  # no earlier call got anywhere
        self._last_moment = last_moment  # of `time.monotonic`

    def problem(self, confirm: tuple[str, ...], *, undo: bool) -> Failed | None:
        """Why a call should not even go out."""
        if undo:
            if self._record_id is None or not self._action.can_undo:
                return self._not_called(f"{self._call.action} cannot be taken back")
            if self._seen.updated:
                told = "was there before this event, as far as is known, and is not taken back"
                return self._not_called(f"record {self._record_id} {told}")
            return None
        without_proof = self._may_be_there and self._record_id is None
        if without_proof and self._action.idempotency is Idempotency.NONE:
            told = "an earlier call got no answer, and there is no way to look it up"
            return self.failed(told, blame=Blame.OURS)
        misfit = _misfit(self._action, self._call, confirm)
        return self._not_called(misfit) if misfit else None

    def _not_called(self, error: str) -> Failed:
        return self.failed(error, permanent=True, blame=Blame.OURS)

    async def run(self, confirm: tuple[str, ...]) -> Outcome:
        """Find or make the record, and prove it."""
        known = self._record_id
        if known is not None:
            await self._complete(known)
            proven = await self._prove(known, confirm, found=True)
            if proven is not None:
                return proven
            self._forget()
        found = await self._look_up() if self._may_be_there else None
        if known is not None and found is None and self._action.idempotency in _NEVER_FOLDED:
            # A person took it away, or our login may make records and not see them: with that, each
            # try would make one more.
            self._may_be_there = True
            return self.failed(f"record {known}, which was made, cannot be seen", permanent=True)
        if found is not None and not self._action.upserts:
            return await self._proven(found, confirm, found=True)
        record_id, found_it = await self._create()
        return await self._proven(record_id, confirm, found=found_it)

    async def go_on(self, made: str | ConnectorError, confirm: tuple[str, ...]) -> Outcome:
        """Prove what one request made among others, by its id or its error."""
        self._may_be_there = not isinstance(made, (DestinationRefused, DestinationUnavailable))
        if isinstance(made, AlreadyThere):
            self._may_be_there = True
            return await self._proven(await self._refused_as_there(made), confirm, found=True)
        if isinstance(made, ConnectorError):
            raise made
        return await self._proven(made, confirm, found=False)

    async def take_back(self) -> Outcome:
        """Undo the record."""
        record_id = self._record_id or ""
        await self._connector.undo(self._call, record_id)
        return TakenBack(record_id=record_id)

    async def _proven(self, record_id: str, confirm: tuple[str, ...], *, found: bool) -> Outcome:
        self._record_id = record_id
        await self._complete(record_id)
        proven = await self._prove(record_id, confirm, found=found)
        if proven is None:
            error = f"record {record_id} was made but is not there to be read"
            return self.failed(error, blame=Blame.SYSTEM)
        return proven

    async def _complete(self, record_id: str) -> None:
        """Do what is not done yet of what follows the record's first request."""
        connector = self._connector
        if self._action.steps and isinstance(connector, Stepwise):
            self._may_be_there = True
            await connector.complete(self._call, record_id, fresh=self._fresh)

    async def _prove(
        self, record_id: str, confirm: tuple[str, ...], *, found: bool
    ) -> Outcome | None:
        """Read the record back, for as long as it may lag behind; None where it is not there."""
        if self._action.proof is Proof.RECEIPT:
            return Receipted(receipt_id=record_id, seen=self._seen)
        until = min(time.monotonic() + self._action.confirm_seconds, self._last_moment)
        pause = _FIRST_PAUSE
        while True:
            outcome = await self._compare(record_id, confirm, found=found)
            if isinstance(outcome, Confirmed) or time.monotonic() + pause > until:
                return outcome
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _compare(
        self, record_id: str, confirm: tuple[str, ...], *, found: bool
    ) -> Confirmed | Mismatched | None:
        record = await self._connector.read(self._call, record_id)
        if record is None:
            return None
        action = self._action
        differing = differences(
            self._call.fields, record.fields, confirm, action.compare, action.zones
        )
        self._seen = replace(
            self._seen, url=record.seen.url or self._seen.url, version=record.seen.version
        )
        if unreadable := [one.field for one in differing if one.unreadable]:
            names = ", ".join(unreadable)
            raise DestinationRefused(f"read: what is stored in {names} cannot be read")
        if differing:
            shown = tuple(
                replace(one, stored=masked_in(one.stored, self._masks)) for one in differing
            )
            return Mismatched(record_id=record_id, differences=shown, seen=self._seen)
        return Confirmed(record_id=record_id, found=found, seen=self._seen)

    async def _look_up(self) -> str | None:
        if self._action.idempotency is not Idempotency.LOOKUP:
            return None
        found = await self._connector.lookup(self._call)
        self._may_be_there = found is not None
        return None if found is None else self._noted(found)

    def _noted(self, made: str | Made) -> str:
        """A record's id; what else is known of it is kept."""
        if isinstance(made, str):
            return made
        seen = made.seen
        self._seen = replace(
            seen, url=seen.url or self._seen.url, updated=seen.updated or self._seen.updated
        )
        return made.record_id

    async def _create(self) -> tuple[str, bool]:
        """The record's id, and whether it was there before."""
        # A process that was frozen, or a machine that slept, wakes up here: by now another run may
        # have made the record.
        if time.monotonic() > self._last_moment:
            raise TimeoutError
        before = self._may_be_there
        self._may_be_there = True
        try:
            return self._noted(await self._connector.create(self._call)), False
        except AlreadyThere as error:
            return await self._refused_as_there(error), True
        except (DestinationRefused, DestinationUnavailable):
            self._may_be_there = before
            raise

    async def _refused_as_there(self, error: AlreadyThere) -> str:
        found = error.record_id or await self._connector.lookup(self._call)
        if found is None:  # a search that lags behind
            raise OutcomeUnknown(f"{error}; and a look-up does not find it yet")
        record_id = self._noted(found)
        if not error.by_key:  # whoever made it: what others made is not ours to delete
            self._seen = replace(self._seen, updated=True)
        return record_id

    def _forget(self) -> None:
        self._record_id = None
        self._may_be_there = True  # another may be in its place

    def failed_by(self, error: ConnectorError) -> Failed:
        """The delivery's status after a connector's error."""
        wait = error.retry_after if isinstance(error, RateLimited) else None
        undecided = isinstance(error, StepUnknown)  # a person decides: no try would find out more
        failed = self.failed(
            str(error),
            permanent=error.permanent or undecided,
            retry_after=wait,
            blame=Blame.CALL if undecided else _blamed(error),
        )
        return replace(failed, reached=not isinstance(error, NotReached), undecided=undecided)

    def failed(
        self,
        error: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        blame: Blame = Blame.CALL,
    ) -> Failed:
        """The status after an error; without look-up or native key an unknown outcome is final."""
        unknown = self._may_be_there
        if unknown:
            lost = self._record_id is None and self._action.idempotency is Idempotency.NONE
            permanent = permanent or lost
            # Before its settle time a look-up cannot be believed.
            retry_after = max(retry_after or 0.0, self._action.settle_seconds) or None
        return Failed(
            error=f"{self._connector.name}: {masked(error, self._masks)}",
            permanent=permanent,
            unknown=unknown,
            retry_after=retry_after,
            record_id=self._record_id,
            seen=self._seen,
            blame=blame,
        )

    @property
    def _masks(self) -> frozenset[str]:
        """What the connector's secrets look like; a plug-in may have none to tell."""
        masks: frozenset[str] = getattr(self._connector, "masks", frozenset())
        return masks


def _blamed(error: ConnectorError) -> Blame:
    """What an error says about the system."""
    if isinstance(error, Unauthorized):
        return Blame.LOGIN
    if isinstance(error, RateLimited):
        return Blame.PACE
    of_this_record = error.permanent or isinstance(error, ChangedMeanwhile)
    return Blame.CALL if of_this_record else Blame.SYSTEM


def _misfit(action: Action, call: Outgoing, confirm: tuple[str, ...]) -> str | None:
    """Why a call should not even go out."""
    missing = action.required - call.fields.keys()
    if missing:
        return f"{call.action} needs {', '.join(sorted(missing))}"
    unknown = call.fields.keys() - action.required - action.optional
    if unknown and not action.open_fields:
        return f"{call.action} does not take {', '.join(sorted(unknown))}"
    if action.proof is Proof.READ_BACK and call.fields.keys().isdisjoint(confirm):
        return f"nothing of what is sent to {call.action} would be confirmed"
    return None


def place_of(error: Exception) -> str:
    """An unexpected error by type and place; its text may hold a secret."""
    frames = extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"the connector failed with {type(error).__name__}{place}"
