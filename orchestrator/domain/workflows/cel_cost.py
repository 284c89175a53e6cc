"""What the loops of a CEL expression may cost on its values, counted before it is computed.

The library ends loops after some ten thousand turns. But a turn of `map` or `filter` copies what
was gathered before, and one that looks at a whole value takes as long as the value is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.domain.workflows.cel_text import Token

MOST_LOOP_STEPS = 5_000_000
"""Steps of some 40 ns that the loops of one expression may take: about 0.2 s."""

_MOST_TURNS = 10_000  # of all loops of one computation; the library ends them there
_CHARACTERS_A_STEP = 16
_LOOPS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_GATHERING = frozenset({"map", "filter"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Loops:
    """The loops of one expression."""

    count: int
    gathering: bool  # one of them makes a list, which it copies at each turn
    looking_out: bool  # one of them looks at more than its own item

    def passes(self, values: Iterable[object]) -> bool:
        """Whether the loops could take more than MOST_LOOP_STEPS on these values."""
        if not self.count:
            return False
        seen = _Seen()
        for value in values:
            seen.add(value)
        turns = min(seen.held, _MOST_TURNS)
        steps = seen.size * self.count
        if self.gathering:
            steps += seen.squares * self.count
        if self.looking_out:
            steps += turns * seen.size
        return steps > MOST_LOOP_STEPS


def loops_of(words: Sequence[Token], names: Iterable[str]) -> Loops:
    """The loops of an expression that may use these names."""
    known = {name.partition(".")[0] for name in names}
    bodies = [
        _body(words, place + 2)
        for place, word in enumerate(words[:-1])
        if word.kind == "name" and word.text in _LOOPS and words[place + 1].text == "("
    ]
    looks_out = any(
        word.kind == "name" and word.text in known and body[place - 1].text != "."
        for body in bodies
        for place, word in enumerate(body)
        if place
    )
    return Loops(
        count=len(bodies),
        gathering=any(word.text in _GATHERING for word in words),
        looking_out=looks_out,
    )


def _body(words: Sequence[Token], start: int) -> Sequence[Token]:
    """The words within a call's brackets: the name of the item first."""
    depth = 1
    for place in range(start, len(words)):
        depth += {"(": 1, ")": -1}.get(words[place].text, 0)
        if depth == 0:
            return words[start:place]
    return words[start:]


class _Seen:
    """What some values hold."""

    def __init__(self) -> None:
        self.size = 0  # values, and sixteen characters as one
        self.held = 0  # items and properties: the turns of loops over all of them
        self.squares = 0  # of each array's or object's own length

    def add(self, value: object) -> None:
        """Count a value with all that it holds."""
        todo = [value]
        while todo:
            one = todo.pop()
            self.size += 1
            if isinstance(one, str):
                self.size += len(one) // _CHARACTERS_A_STEP
            elif isinstance(one, dict | list):
                self.held += len(one)
                self.squares += len(one) * len(one)
                todo.extend(one.values() if isinstance(one, dict) else one)
