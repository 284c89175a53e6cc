"""What a run has to say: a table for people, one last line and a document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from tests.faults.conductor import Struck
from tests.faults.oracle import Verdict
from tests.faults.plan import Kind

LONGEST_STALL = 30.0  # seconds; above every clock of a run: its lease ends after 8, a retry after 4


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run and what came of it. Times in seconds."""

    pair: str
    seed: int
    events: int
    planned: int  # faults
    struck: list[Struck]
    left_out: dict[Kind, str]  # kinds that could not be done here, and why
    verdict: Verdict
    deaths: list[str]  # of processes that ended by themselves
    whole: bool  # all faults could be done; else nothing settled any more before that
    recovered: int  # answers that were lost, and given again for the same key
    unanswered: int  # attempts of the producers that failed
    longest_stall: float  # an event got no further, and nothing was down
    stalled: str  # that event's id
    longest_pause: float  # nothing settled, whatever was down
    seconds: float  # from the first event to the last one settled
    stories: list[str]

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or wrong, and nothing was stuck for too long."""
        return self.verdict.flawless and self.whole and not self.too_still

    @property
    def too_still(self) -> bool:
        """Whether an event got no further for too long while nothing was down."""
        return self.longest_stall > LONGEST_STALL

    def last_line(self) -> str:
        """What scripts read."""
        one = self.verdict
        return (
            f"chaos: accepted {one.accepted} confirmed {one.confirmed}"
            f" quarantined {one.quarantined} lost {len(one.lost)} doubled {len(one.doubled)}"
            + (f" stalled {self.longest_stall:.0f} s" if self.too_still else "")
        )

    def faults(self) -> Iterator[str]:
        """Why it is not good, in a few words each."""
        one = self.verdict
        for word, found in (("lost", one.lost), ("doubled", one.doubled)):
            if found:
                yield f"{len(found)} {word}"
        if self.too_still:
            yield f"event {self.stalled} got no further for {self.longest_stall:.0f} s"
        if not self.whole:
            yield "nothing settled any more, so that not all faults could be done"
        yield from one.findings

    def document(self) -> dict[str, object]:
        """All of it as a JSON value."""
        one = self.verdict
        return {
            **{name: value for name, value in asdict(self).items() if name != "verdict"},
            "accepted": one.accepted,
            "confirmed": one.confirmed,
            "quarantined": one.quarantined,
            "quarantined_by_reason": {"contract_violation": one.invalid, **one.stranded},
            "lost": one.lost,
            "doubled": one.doubled,
            "findings": one.findings,
            "folded_repeats": one.folded,
            "good": self.good,
        }

    def lines(self) -> Iterator[str]:
        """The table, and then what is not as it must be."""
        one = self.verdict
        yield f"pair {self.pair}, seed {self.seed}: {self.planned} faults, {self.events} events"
        for kind in Kind:
            if count := sum(struck.kind is kind for struck in self.struck):
                yield f"  {kind:38} {count:4}"
        for kind, why in self.left_out.items():
            yield f"  {kind:38} left out: {why}"
        rate = one.accepted / self.seconds
        yield f"accepted       {one.accepted} in {self.seconds:.0f} s, {rate:.0f} a second"
        again = f"{self.unanswered} requests; {self.recovered} events were known by then"
        yield f"  sent again   {again}"
        yield f"confirmed      {one.confirmed}"
        yield f"  folded       {one.folded} repeated calls, by the destination's own key"
        yield f"quarantined    {one.quarantined}, of them {one.invalid} that break their contract"
        for reason, count in one.stranded.items():
            yield f"  {reason:38} {count:4}  VALID EVENTS"
        yield f"lost           {len(one.lost)}"
        yield f"doubled        {len(one.doubled)}"
        yield f"longest stall  {self.longest_stall:.1f} s of one event with nothing down"
        yield f"  nothing came {self.longest_pause:.1f} s, whatever was down"
        yield from _listed("ended by itself", self.deaths)
        yield from self.stories
        if not self.good:
            yield from _listed("failed", list(self.faults()))


def _listed(title: str, texts: list[str], most: int = 10) -> Iterator[str]:
    for text in texts[:most]:
        yield f"{title}: {text}"
    if len(texts) > most:
        yield f"{title}: and {len(texts) - most} more"
