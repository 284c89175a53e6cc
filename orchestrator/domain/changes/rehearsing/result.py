"""What a rehearsal found: counts, names and ids, and no value of a payload."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearsedDestination:
    """What went to one destination."""

    destination: str
    connector: str  # of the workflow
    instead: str  # the connector that was called in its place; `dry`: none was
    made: int  # deliveries that were read back and compared, or receipted
    failed: int  # deliveries that were given up
    unmade: int  # of `dry`: deliveries of which no request can be made

    @property
    def told(self) -> str:
        """The counts in a sentence."""
        told = f"rehearsed at {self.destination} ({self.instead}): {self.made} made"
        told += f", {self.failed} failed" if self.failed else ""
        return told + (f", {self.unmade} of which no request can be made" if self.unmade else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearsedStop:
    """Why events were stopped."""

    reason: str  # a code
    decided: bool  # the version decides so by itself; else a destination or a fault of ours
    events: int
    examples: tuple[str, ...]  # ids of events, or names of cases


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """A change run through the real chain in a store, a broker and a worker of its own."""

    definition: str  # the digest that went in and came out: 64 hex digits
    events: int  # that went through
    real: int  # of these, the ones made of events that were accepted lately
    replaced: int  # personal values in them that were made up
    left_out: int  # events whose made-up payload the contract does not take as it took theirs
    delivered: int
    awaiting: int  # they wait for a person's yes
    unfinished: int  # they were not at their end when the time was over
    unproven: int  # their audit lacks the trigger, the decision, or who made a delivery
    destinations: tuple[RehearsedDestination, ...]
    stops: tuple[RehearsedStop, ...]  # the most events first

    @property
    def stopped(self) -> int:
        """Events that the version would not have stopped by itself."""
        return sum(one.events for one in self.stops if not one.decided)

    @property
    def told(self) -> str:
        """The counts in a sentence."""
        refused = sum(one.events for one in self.stops if one.decided)
        told = f"of {self.events} events, {self.real} of them real and masked,"
        told += f" {self.delivered} were delivered"
        told += f", {refused} refused as the version says" if refused else ""
        told += f", {self.awaiting} wait for a yes" if self.awaiting else ""
        told += f", {self.stopped} stopped at a destination" if self.stopped else ""
        return told + (f", {self.unfinished} not finished" if self.unfinished else "")

    @property
    def fault(self) -> str | None:
        """What speaks against the change, in a sentence; None: nothing does."""
        unmade = [one for one in self.destinations if one.unmade]
        if self.unproven:
            return f"the audit of {self.unproven} rehearsed events does not say who did what"
        if self.stopped:
            worst = next(one for one in self.stops if not one.decided)
            return f"{self.stopped} rehearsed events were stopped, most of them as {worst.reason}"
        if unmade:
            first = unmade[0]
            return f"no request can be made of {first.unmade} deliveries to {first.destination}"
        return None
