"""The functions of CEL that a misspelt one may have meant, and those of other languages."""

from __future__ import annotations

from orchestrator.domain.workflows.cel.functions import LIBRARY_WORDS

FUNCTIONS = (
    "all", "bool", "bytes", "contains", "double", "duration", "dyn", "endsWith", "exists",
    "exists_one", "filter", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "has",
    "int", "map", "matches", "size", "startsWith", "string", "timestamp", "type", "uint",
    *sorted(LIBRARY_WORDS - {"lists", "math", "strings"}),
)  # fmt: skip

_SIZE = "write `size(...)`"
_CONTAINS = "write `text.contains(part)`, or `x in list`"
_STRING = "write `string(...)`"
_DOUBLE = "write `double(...)`"
_MATCHES = 'write `text.matches("...")`'
_LOWER = "write `text.lowerAscii()`"
_UPPER = "write `text.upperAscii()`"
_CLOCK = "there is no clock in an expression: let the sender say the time"
_ABSENT = "write {value: ..., optional: true} in the fact"

MEANT = {
    "len": _SIZE, "length": _SIZE, "count": _SIZE, "LEN": _SIZE,
    "isEmpty": "write `size(...) == 0`", "empty": "write `size(...) == 0`",
    "includes": _CONTAINS, "include": _CONTAINS, "contain": _CONTAINS, "has_key": _CONTAINS,
    "str": _STRING, "toString": _STRING, "text": _STRING,
    "float": _DOUBLE, "number": _DOUBLE, "Number": _DOUBLE, "parseFloat": _DOUBLE,
    "parseInt": "write `int(...)`", "integer": "write `int(...)`",
    "match": _MATCHES, "regex": _MATCHES, "test": _MATCHES, "regexMatch": _MATCHES,
    "any": "write `list.exists(x, ...)`", "some": "write `list.exists(x, ...)`",
    "every": "write `list.all(x, ...)`", "find": "write `list.filter(x, ...)[0]`",
    "select": "write `list.filter(x, ...)` or `list.map(x, ...)`",
    "now": _CLOCK, "today": _CLOCK, "NOW": _CLOCK, "date": "write `timestamp(...)`",
    "coalesce": _ABSENT, "default": _ABSENT, "ifnull": _ABSENT, "get": _ABSENT,
    "exists": "write `list.exists(x, ...)`; an optional fact says that a value may be absent",
    "not": "write `!`", "and": "write `&&`", "or": "write `||`",
    "lower": _LOWER, "toLower": _LOWER, "toLowerCase": _LOWER, "lowercase": _LOWER,
    "downcase": _LOWER, "upper": _UPPER, "toUpper": _UPPER, "toUpperCase": _UPPER,
    "uppercase": _UPPER, "upcase": _UPPER, "strip": "write `text.trim()`",
    "substr": "write `text.substring(0, 5)`", "sub": 'write `text.replace("a", "b")`',
    "round": "write `math.round(...)`", "ceil": "write `math.ceil(...)`",
    "floor": "write `math.floor(...)`", "abs": "write `math.abs(...)`",
    "max": "write `math.greatest(...)`", "min": "write `math.least(...)`",
    "concat": "write `+`", "append": "write `+`",
    "if": "write `condition ? one : other`", "IF": "write `condition ? one : other`",
}  # fmt: skip
