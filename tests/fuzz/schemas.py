"""JSON Schemas as strangers write them: ordinary, nearly right, and costly ones."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.values import NAMES, Maker

_TYPES = (
    "string",
    "integer",
    "number",
    "object",
    "array",
    "boolean",
    "null",
    "strng",
    ["string", 1],
)
_FORMATS = ("email", "date-time", "uri", "uuid", "ipv4", "regex", "e-mail", "hostname")
_PATTERNS = (
    "^[a-z]+$",
    "(a+)+$",
    "(?=a)",
    "[",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "\\p{L}+",
    ".*.*.*=.*",
)
_JOINTS = ("anyOf", "allOf", "oneOf")


class Schemas:
    """Makes schemas by chance."""

    def __init__(self, make: Maker) -> None:
        self.make = make
        self.chance = make.chance

    def any(self) -> dict[str, object]:
        """A schema of an object, as a rule one that can be compiled."""
        kind = self.chance.randrange(12)
        if kind == 0:
            return self.recursive()
        if kind == 1:
            return self.doubling()
        schema = self._part(3)
        if self.make.one_in(3):
            schema["$defs"] = {name: self._part(2) for name in ("one", "two")}
        return schema

    def recursive(self) -> dict[str, object]:
        """A tree whose every level may be read in several ways."""
        branches = [
            {"type": "object", "properties": {"a": {"$ref": "#/$defs/t"}}, "required": [name]}
            for name in self.chance.sample(NAMES, k=self.chance.randrange(2, 4))
        ]
        listed = {"type": "array", "items": {"$ref": "#/$defs/t"}}
        tree = {self.chance.choice(_JOINTS): [*branches, listed]}
        return {"$defs": {"t": tree}, "$ref": "#/$defs/t"}

    def doubling(self) -> dict[str, object]:
        """Definitions each of which asks the next one twice."""
        count = self.chance.randrange(2, 40)
        joint = self.chance.choice(_JOINTS)
        defs: dict[str, object] = {
            f"d{number}": {joint: [{"$ref": f"#/$defs/d{number + 1}"}] * 2}
            for number in range(count)
        }
        defs[f"d{count}"] = {"type": self.chance.choice(("object", "string"))}
        return {"type": "object", "$defs": defs, "$ref": "#/$defs/d0"}

    def _part(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for _ in range(self.chance.randrange(1, 5)):
            name, value = self._keyword(depth)
            found[name] = value
        return found

    def _keyword(self, depth: int) -> tuple[str, object]:
        make, chance = self.make, self.chance

        def inner() -> dict[str, object]:
            return self._part(depth - 1) if depth > 0 else {}

        choices: tuple[Callable[[], tuple[str, object]], ...] = (
            lambda: ("type", chance.choice(_TYPES)),
            lambda: ("properties", {make.name(): inner() for _ in range(3)}),
            lambda: ("required", [make.name() for _ in range(2)]),
            lambda: ("additionalProperties", chance.choice((False, True, inner()))),
            lambda: ("patternProperties", {chance.choice(_PATTERNS): inner()}),
            lambda: ("propertyNames", inner()),
            lambda: (chance.choice(_JOINTS), [inner() for _ in range(chance.randrange(4))]),
            lambda: ("not", inner()),
            lambda: ("items", inner()),
            lambda: ("prefixItems", [inner(), inner()]),
            lambda: ("contains", inner()),
            lambda: ("uniqueItems", True),
            lambda: ("enum", [make.value(1) for _ in range(3)]),
            lambda: ("const", make.value(2)),
            lambda: ("pattern", chance.choice(_PATTERNS)),
            lambda: ("format", chance.choice(_FORMATS)),
            lambda: (chance.choice(("minLength", "maxItems", "minimum")), make.value(0)),
            lambda: ("multipleOf", chance.choice((0, 0.1, 1e-300, -1, 3))),
            lambda: (
                "$ref",
                chance.choice(("#", "#/$defs/one", "#/$defs/none", "file:///etc/passwd")),
            ),
            lambda: ("unevaluatedProperties", chance.choice((False, inner()))),
            lambda: ("dependentSchemas", {make.name(): inner()}),
            lambda: ("if", inner()),
            lambda: ("then", inner()),
        )
        return chance.choice(choices)()
