"""Which places of a payload break its contract: those that a workflow's amendment may touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from jsonschema_rs import ValidationError, ValidationErrorKind

from orchestrator.domain.contracts.contract import Contract
from orchestrator.domain.contracts.violations import undeclared_names

MOST_BROKEN = 10_000
"""Violations of one payload whose places are looked at."""

Place = tuple[str, ...]

# What is wrong with a list or an object as such: what it holds may be good.
_OF_ITS_PARTS = frozenset(
    {
        "additionalItems", "contains", "maxItems", "maxProperties", "minItems", "minProperties",
        "not", "unevaluatedItems", "uniqueItems",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BrokenPlaces:
    """Places of one payload that break its contract, as steps from its top."""

    whole: frozenset[Place] = frozenset()  # with all that is in them; a missing field is one too
    itself: frozenset[Place] = frozenset()  # lists and objects; what they hold may be good

    def holds(self, place: Sequence[str]) -> bool:
        """Whether a place is one of them, or is in one that is broken as a whole."""
        return tuple(place) in self.itself or self.holds_wholly(place)

    def holds_wholly(self, place: Sequence[str]) -> bool:
        """The same, of what is broken as a whole."""
        return any(tuple(place[:end]) in self.whole for end in range(len(place) + 1))


def broken_places(contract: Contract, payload: object) -> BrokenPlaces:
    """The places at which a payload breaks a contract. Raises TooDear.

    A missing field counts where it should be, one that is not declared where it is. Of the
    alternatives of an `anyOf` or `oneOf` no place counts that is good in one which may be meant.
    """
    return _together(_places_of(one, payload) for one in contract.errors(payload, MOST_BROKEN))


def _together(parts: Iterable[BrokenPlaces]) -> BrokenPlaces:
    found = list(parts)
    return BrokenPlaces(
        whole=frozenset(chain.from_iterable(one.whole for one in found)),
        itself=frozenset(chain.from_iterable(one.itself for one in found)),
    )


def _places_of(error: ValidationError, payload: object) -> BrokenPlaces:
    place = tuple(map(str, error.instance_path))
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            return BrokenPlaces(whole=frozenset({(*place, name)}))
        case ValidationErrorKind.PropertyNames(error=inner):
            return BrokenPlaces(whole=frozenset({(*place, str(inner.instance))}))
        case ValidationErrorKind.AnyOf() | ValidationErrorKind.OneOfNotValid():
            branches: list[list[ValidationError]] = getattr(error.kind, "context", None) or []
            return _of_alternatives(branches, place, payload)
    if names := undeclared_names(error, payload):
        return BrokenPlaces(whole=frozenset((*place, name) for name in names))
    if error.kind.name in _OF_ITS_PARTS or error.kind.name == "oneOf":
        return BrokenPlaces(itself=frozenset({place}))
    return BrokenPlaces(whole=frozenset({place}))


def _of_alternatives(
    branches: Sequence[Sequence[ValidationError]], place: Place, payload: object
) -> BrokenPlaces:
    """What breaks whichever alternative is meant, and fields that alone are missing in one."""
    if not branches:
        return BrokenPlaces(itself=frozenset({place}))
    nearest = min(_otherness(branch, place) for branch in branches)
    meant = [branch for branch in branches if _otherness(branch, place) == nearest]
    parts = [_together(_places_of(error, payload) for error in branch) for branch in meant]
    lacking = [
        part
        for part, branch in zip(parts, meant, strict=True)
        if all(isinstance(error.kind, ValidationErrorKind.Required) for error in branch)
    ]
    common = BrokenPlaces(
        whole=frozenset(
            at for part in parts for at in part.whole if all(one.holds_wholly(at) for one in parts)
        ),
        itself=frozenset(
            at for part in parts for at in part.itself if all(one.holds(at) for one in parts)
        ),
    )
    return _together([common, *lacking])


def _otherness(branch: Sequence[ValidationError], place: Place) -> int:
    """Whether an alternative is for another value: of another type, or with another constant."""
    worst = 0
    for error in branch:
        if error.kind.name == "type" and tuple(map(str, error.instance_path)) == place:
            return 2
        options = getattr(error.kind, "options", None)
        if error.kind.name == "const" or (isinstance(options, list) and len(options) == 1):
            worst = 1
    return worst
