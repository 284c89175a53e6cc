"""YAML 1.2 read as JSON values, each with its line; what is not JSON is a fault, not a guess."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.domain.documents.strict_json import LARGEST_INTEGER, SMALLEST_INTEGER
from orchestrator.domain.documents.yaml_faults import yaml_fault
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.abbreviate import shorten

MOST_BYTES = 1_048_576
_MOST_LINES = 50_000  # a folded text of more takes more than a second
_BREAKS = ("\n", "\r", "\x85", "\u2028", "\u2029")
_MOST_NODES = 20_000  # keys and values as they are written: the parser takes 40 µs for each
_MOST_VALUES = 20_000  # an alias counts each time: a few lines cannot unfold into millions
_MOST_FAULTS = 100
_LONGEST_KEY = 256  # characters; the path of each value within repeats it
_DEEPEST = 100

_TAG = "tag:yaml.org,2002:"
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(kw_only=True)
class Document:
    """A parsed file: its value, the line of each place in it from 1, and what is wrong in it."""

    value: object = None
    lines: dict[str, int] = field(default_factory=dict)  # by dotted path
    faults: list[Fault] = field(default_factory=list)

    def line(self, path: str) -> int | None:
        """The line of a place, or of the nearest place around it."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path)


def parse(text: str) -> Document:
    """The document of a text. Where the syntax is broken, that is its only fault."""
    document = Document()
    raw = text.encode(errors="replace")
    if len(raw) > MOST_BYTES:
        line = raw.count(b"\n", 0, MOST_BYTES) + 1
        fix = "split it; a contract may have a file of its own: `contract: {file: ...}`"
        return _only(document, "here the file is larger than 1 MiB", fix, line)
    if (lines := sum(map(text.count, _BREAKS)) - text.count("\r\n")) > _MOST_LINES:
        fix = f"write at most {_MOST_LINES:,}"
        return _only(document, f"it has {lines:,} line breaks", fix, _MOST_LINES + 1)
    try:
        node = _yaml().compose(text)
    except _TooMuch as error:
        return _only(document, error.problem, error.fix, error.line)
    except RecursionError:
        return _only(document, "it nests too deep", f"nest at most {_DEEPEST} levels", 1)
    except (YAMLError, ValueError) as error:
        return _only(document, *yaml_fault(error, text))
    if node is not None:
        document.value = _Reader(document).read(node, ())
    return document


class _TooMuch(Exception):
    def __init__(self, problem: str, fix: str, line: int) -> None:
        super().__init__(problem)
        self.problem, self.fix, self.line = problem, fix, line


class _Bounded(Composer):
    """Stops at the node that is one too many or too deep, before what follows it is read."""

    def __init__(self, loader: object = None) -> None:
        super().__init__(loader=loader)
        self.warn_double_anchors = False  # the later one counts, as YAML 1.2 has it
        self._nodes = self._level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._nodes += 1
        self._level += 1
        if self._nodes > _MOST_NODES:
            problem = f"here it has more than {_MOST_NODES:,} keys and values"
            fix = "split it; a contract may have a file of its own: `contract: {file: ...}`"
            raise _TooMuch(problem, fix, self._line)
        if self._level > _DEEPEST:
            raise _TooMuch("it nests too deep", f"nest at most {_DEEPEST} levels", self._line)
        node = super().compose_node(parent, index)
        self._level -= 1
        return node

    @property
    def _line(self) -> int:
        return int(self.parser.peek_event().start_mark.line) + 1


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Bounded
    return yaml


def _only(document: Document, problem: str, fix: str, line: int) -> Document:
    document.faults.append(Fault(path="", problem=problem, fix=fix, line=line))
    return document


class _Reader:
    """Turns nodes into values; a part that is wrong becomes None and a fault."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0

    def read(self, node: Node, path: tuple[str, ...]) -> object:
        line = node.start_mark.line + 1
        self._document.lines.setdefault(".".join(path), line)
        self._values += 1
        if self._values > _MOST_VALUES or len(path) > _DEEPEST:
            if self._values <= _MOST_VALUES or self._values == _MOST_VALUES + 1:
                self._fault(path[:2], line, "it holds too much", "take out aliases and nesting")
            return None
        match node:
            case MappingNode() if node.tag == f"{_TAG}map":
                return self._mapping(node, path)
            case SequenceNode() if node.tag == f"{_TAG}seq":
                items = enumerate(node.value)
                return [self.read(item, (*path, str(index))) for index, item in items]
            case ScalarNode():
                return self._scalar(node, path, line)
        self._fault(path, line, f"the tag {node.tag} is not taken", "write plain YAML without tags")
        return None

    def _mapping(self, node: MappingNode, path: tuple[str, ...]) -> dict[str, object]:
        value: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, path, line)
            if key is None:
                continue
            if len(key) > _LONGEST_KEY:
                fix = f"write at most {_LONGEST_KEY}"
                self._fault(path, line, f"this key has {len(key):,} characters", fix)
                continue
            if key in value:
                self._fault((*path, key), line, "this key comes twice", "write it once")
                continue
            self._document.lines[".".join((*path, key))] = line
            value[key] = self.read(value_node, (*path, key))
        return value

    def _key(self, node: Node, path: tuple[str, ...], line: int) -> str | None:
        if isinstance(node, ScalarNode) and node.tag in {f"{_TAG}str", f"{_TAG}timestamp"}:
            return self._text(str(node.value), path, line)
        if isinstance(node, ScalarNode) and node.tag == f"{_TAG}merge":
            self._fault(path, line, "merge keys (<<) are not taken", "write the keys out")
        elif isinstance(node, ScalarNode):
            fix = f'write it in quotes: "{node.value}"'
            self._fault(path, line, f"the key {node.value} is not a string", fix)
        else:
            fix = "write `name: value`; put an expression in quotes, without {{ }}"
            self._fault(path, line, "a key must be a string", fix)
        return None

    def _scalar(self, node: ScalarNode, path: tuple[str, ...], line: int) -> object:
        text = str(node.value)
        match str(node.tag).removeprefix(_TAG):
            case "str" | "timestamp" | "merge" | "value":  # YAML 1.2 knows no timestamps
                return self._text(text, path, line)
            case "null":
                return None
            case "bool" if text in _TRUE | _FALSE:
                return text in _TRUE
            case "bool":
                return text  # `yes` after a %YAML 1.1 directive: 1.2 has it as text
            case "int" | "float" as kind:
                return self._number(kind, text, path, line)
        self._fault(path, line, f"the tag {node.tag} is not taken", "write plain YAML without tags")
        return None

    def _text(self, text: str, path: tuple[str, ...], line: int) -> str | None:
        if not _SURROGATE.search(text):
            return text
        fix = "write whole Unicode characters"
        self._fault(path, line, "it holds half of a surrogate pair", fix)
        return None

    def _number(self, kind: str, text: str, path: tuple[str, ...], line: int) -> object:
        try:
            value = _integer(text) if kind == "int" else _float(text)
        except ValueError:
            return text
        # An integer is compared as it is: one of 400 digits is not a float.
        whole = isinstance(value, int)
        if SMALLEST_INTEGER <= value <= LARGEST_INTEGER if whole else math.isfinite(value):
            return value
        problem = f"{shorten(text)} is not a JSON number"
        self._fault(path, line, problem, "write it in quotes, or smaller")
        return None

    def _fault(self, path: tuple[str, ...], line: int, problem: str, fix: str) -> None:
        if len(self._document.faults) < _MOST_FAULTS:
            fault = Fault(path=".".join(path), problem=problem, fix=fix, line=line)
            self._document.faults.append(fault)


def _integer(text: str) -> int:
    """An integer of YAML 1.2's core schema; 1_000 and 0b1 are text there."""
    if text.startswith(("0o", "0x")):
        return int(text, base=0)
    if not text.lstrip("+-").isdigit() or len(text) > 4000:
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    if text.lstrip("+-").lower() in {".inf", ".nan"}:
        return math.inf
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    return float(text)
