"""A part of an expression's tree written as CEL again: what messages quote."""

from __future__ import annotations

import json
import re

from orchestrator.domain.workflows.cel.syntax import (
    Call,
    Constant,
    ListOf,
    Loop,
    MapOf,
    Name,
    Node,
    Select,
)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"_([^_\[?]+)_")
_WORDS = {"@in": "in"}


def written(node: Node) -> str:
    """The text of a part; a loop is shown by its beginning, for its macro is no longer known."""
    match node:
        case Constant(value=value):
            return _literal(value)
        case Name(name=name):
            return name
        case Select(of=of, field=field, is_test=is_test):
            text = f"{written(of)}.{field}"
            return f"has({text})" if is_test else text
        case ListOf(items=items):
            return f"[{', '.join(map(written, items))}]"
        case MapOf(entries=entries):
            pairs = (f"{written(key)}: {written(value)}" for key, value in entries)
            return f"{{{', '.join(pairs)}}}"
        case Loop(over=over):
            return f"{written(over)}.{_macro(node)}(...)"
        case Call():
            return _call(node)


def _call(node: Call) -> str:
    parts = [
        f"({written(one)})" if isinstance(one, Call) and operator_of(one) else written(one)
        for one in node.operands
    ]
    if operator := operator_of(node):
        return f"{parts[0]} {operator} {parts[1]}"
    match node.function:
        case "_[_]":
            return f"{parts[0]}[{written(node.arguments[1])}]"
        case "!_" | "-_":
            return f"{node.function[0]}{parts[0]}"
        case "_?_:_":
            return f"{parts[0]} ? {parts[1]} : {parts[2]}"
    arguments = ", ".join(map(written, node.arguments))
    before = f"{parts[0]}." if node.target else ""
    return f"{before}{node.function}({arguments})"


def _macro(node: Loop) -> str:
    """The macro that a loop was, read from what it begins with."""
    match node.start:
        case Constant(value=bool(value)):
            return "all" if value else "exists"
        case Constant():
            return "exists_one"
    match node.step:
        case Call(arguments=(_, Call(arguments=(_, ListOf(items=(Name(name=name),)))), _)):
            return "filter" if name == node.item else "map"
    return "map"


def operator_of(node: Call) -> str | None:
    """How a call of two operands is written between them, or None for any other call."""
    if len(node.arguments) != 2 or node.target:
        return None
    if found := _OPERATOR.fullmatch(node.function):
        return found[1]
    return _WORDS.get(node.function)


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case bytes():
            return f'b"{value.decode(errors="replace")}"'
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bool():
            return "true" if value else "false"
    return str(value)


def member(of: str, field: str) -> str:
    """A field of something, with a dot where CEL can write it so."""
    return f"{of}.{field}" if _IDENTIFIER.fullmatch(field) else f"{of}[{json.dumps(field)}]"
