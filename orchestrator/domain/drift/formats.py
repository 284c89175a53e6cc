"""What the values of a field look like together: their formats, their length, words they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from orchestrator.domain.drift.shapes import format_of, is_specific

_MOST = 40  # values of one field that are looked at
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True)
class Looks:
    """A summary of values."""

    formats: Mapping[str, float]  # the share of the values that have each
    usual: str  # the most frequent of these
    length: float  # the median, in characters
    words: frozenset[str]  # that most values have: `/forks` in every address


def looks_of(values: Iterable[str]) -> Looks | None:
    """The summary of some values; None where all are empty, or there is none."""
    texts = list(islice(filter(None, values), _MOST))
    if not texts:
        return None
    formats = Counter(map(format_of, texts))
    return Looks(
        formats={one: count / len(texts) for one, count in formats.items()},
        usual=formats.most_common(1)[0][0],
        length=median(map(len, texts)),
        words=_frequent(texts),
    )


def alike(one: Looks | None, other: Looks | None) -> float | None:
    """How alike two fields look, from 0 to 1; None where one is always null or empty."""
    if one is None or other is None:
        return None
    common = sum(min(share, other.formats.get(name, 0)) for name, share in one.formats.items())
    if one.usual != other.usual:
        return 0.3 * common
    if one.usual in {"uri", "text"}:
        return 0.3 * common + 0.7 * _shared(one.words, other.words)
    length = min(one.length, other.length) / max(one.length, other.length)
    least = 0.9 if is_specific(one.usual) else 0.3
    most = 1.0 if is_specific(one.usual) else 0.6
    return common * (least + (most - least) * length)


def is_identifying(one: Looks | None, other: Looks | None) -> bool:
    """Whether both have mostly one format that few fields have."""
    both = one is not None and other is not None and one.usual == other.usual
    return both and one is not None and is_specific(one.usual)


def _frequent(texts: Sequence[str]) -> frozenset[str]:
    counts = Counter(word for text in texts for word in set(_WORD.findall(text.lower())))
    return frozenset(word for word, count in counts.items() if 2 * count > len(texts))


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / len(some | others) if some or others else 0.4
