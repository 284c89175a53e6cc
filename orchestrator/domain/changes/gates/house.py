"""The house's own file of gates: which ones block, and rules in CEL over the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Literal

from cel_expr_python.cel import Type
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictStr,
    StringConstraints,
    ValidationError,
)

from orchestrator.domain.changes.gates.evidence import Evidence
from orchestrator.domain.changes.gates.gate import (
    Finding,
    Force,
    GateName,
    cannot_tell,
    failed,
    passed,
)
from orchestrator.domain.changes.gates.present import Present
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.model_faults import Place, model_faults
from orchestrator.domain.documents.model_faults import wrong as _wrong
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.cel.compile import Environment, NotComputed, Uncompilable
from orchestrator.domain.workflows.workflow import Line, Name

_NAMES = (
    "contract", "cases", "load", "commit", "difference", "owners", "backtest", "rehearsal", "drill",
)  # fmt: skip


@cache
def _environment() -> Environment:
    names = dict.fromkeys(_NAMES, Type.DYN)
    return Environment({**names, "client": Type.STRING, "workflow": Type.STRING})


def _compiles(text: str) -> str:
    try:
        found = _environment().compile(text)
    except Uncompilable as error:
        raise _wrong("cel", error.problem, error.fix) from None
    if found.type not in (Type.BOOL, Type.DYN):
        raise _wrong("cel", "it is not true or false", "write a condition, such as a == b")
    return text


When = Annotated[StrictStr, StringConstraints(max_length=2_000), AfterValidator(_compiles)]


class HouseRule(BaseModel):
    """A gate of the house's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    when: When  # CEL over the evidence: the rule passes where it is true
    say: Line  # what it asks
    force: Force = Force.BLOCKS
    waive: Literal["approver", "nobody"] = "nobody"


class HouseGates(BaseModel):
    """The file of gates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gates: dict[GateName, Force] = {}
    rules: Annotated[tuple[HouseRule, ...], Field(max_length=100)] = ()

    def force_of(self, gate: GateName, default: Force) -> Force:
        """What a built-in gate does that fails."""
        return self.gates.get(gate, default)


_MODELS: Mapping[Place, type[BaseModel]] = {(): HouseGates, ("rules", "*"): HouseRule}
_EXAMPLES: Mapping[Place, str] = {
    ("gates",): "gates: {drill: blocks}",
    ("rules", "*", "when"): "when: contract.newly_refused == 0",
}


def parse_house(text: str, *, name: str) -> HouseGates:
    """The file of gates. Raises InvalidFile with every fault."""
    document = strict_yaml.parse(text)
    if document.faults:
        raise InvalidFile(name, document.faults)
    try:
        found = HouseGates.model_validate(document.value or {})
    except ValidationError as error:
        raise InvalidFile(name, model_faults(error, _MODELS, _EXAMPLES)) from None
    taken: set[str] = set(GateName)
    for place, rule in enumerate(found.rules):
        if rule.id in taken:
            fix = "write another id"
            fault = Fault(path=f"rules.{place}.id", problem=f"{rule.id!r} is taken", fix=fix)
            raise InvalidFile(name, [fault])
        taken.add(rule.id)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """What rules may ask of the difference."""

    stricter: int
    breaking: int
    parts: tuple[str, ...]


def judge_rule(rule: HouseRule, evidence: Evidence, now: Present) -> Finding:
    """What a house rule says; where its evidence is not there, it cannot tell."""
    environment = _environment()
    bound = environment.bind(_document(evidence, now))
    answer = environment.compile(rule.when).is_true(bound)
    if isinstance(answer, NotComputed):
        return cannot_tell(f"`{rule.when}` cannot be computed: {answer.error}")
    if answer:
        return passed(f"`{rule.when}` holds")
    return failed(f"`{rule.when}` does not hold", rule.say)


def _document(evidence: Evidence, now: Present) -> dict[str, object]:
    difference = _Difference(stricter=now.stricter, breaking=now.breaking, parts=now.parts)
    return {
        "contract": _plain(evidence.contract),
        "cases": _plain(evidence.cases),
        "load": _plain(evidence.load),
        "commit": _plain(evidence.commit),
        "difference": _plain(difference),
        "owners": {one.role: one.address for one in now.reached},
        "client": now.client,
        "workflow": now.workflow,
        "backtest": _plain(now.backtest),
        "rehearsal": _plain(evidence.rehearsal),
        "drill": None,  # it does not exist yet
    }


def _plain(value: object) -> object:
    """A value as CEL takes it: lists for tuples."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return _plain(asdict(value))  # type: ignore[call-overload]
