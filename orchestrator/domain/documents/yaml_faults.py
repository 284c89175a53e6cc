"""What is wrong with a text that is not YAML, said with what to write instead.

The parser speaks of its own parts: scalars, flow sequences, `<block end>`.
"""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError, YAMLError

_QUOTE = "put the whole text in quotes: 'it has a : in it'"
_INDENT = "begin entries of one mapping at one column, with spaces"
_SAID: tuple[tuple[str, str, str], ...] = (
    (r"found character '\\t'|tab character", "a tab is where only spaces may be",
     "write spaces in place of the tab"),
    (r"found character '(.)' that cannot", "a text begins with {0}", "put the text in quotes"),
    (r"mapping values are not allowed", "a `: ` is where no name can be",
     f"{_QUOTE}, or {_INDENT}"),
    (r"could not find expected ':'", "a line has no `: ` after its name, or is indented wrongly",
     "write `name: value`"),
    (r"expected ',' or '([\]}])', but got (.*)", "a `{0}` or a comma is missing before {1}",
     "close what is open; put a text with : , [ ] { } in it in quotes"),
    (r"unknown escape character '(.*)'", "in double quotes \\{0} means nothing",
     "write '...' around the text, or \\\\ for \\"),
    (r"unexpected end of stream", "a text in quotes has no closing quote", "write the quote"),
    (r"undefined alias", "a text that begins with * is read as an alias", "put it in quotes"),
    (r"scanning an anchor|scanning an alias", "a text begins with & or *", "put it in quotes"),
    (r"expected <block end>, but found '<scalar>'", "a text goes on after its closing quote",
     "write '...' around all of it: '\"Onboard \" + email'"),
    (r"expected <block end>", "this line is indented otherwise than those it belongs to", _INDENT),
    (r"found another document", "a second document begins here", "write one document to a file"),
    (r"expected the node content", "a value is missing", "write a value, or take out the comma"),
    (r"scanning a block scalar", "a text follows > or | on its line",
     "put the text on the next lines, or in quotes"),
    (r"unacceptable character (#x\w+)", "it holds the character {0}, which YAML does not take",
     'write it as "\\u0007" in double quotes, or take it out'),
    (r"document start", "it begins with %", "put a text that begins with % in quotes"),
)  # fmt: skip
_PATTERNS = [(re.compile(pattern), problem, fix) for pattern, problem, fix in _SAID]
_PARTS = {
    "'<scalar>'": "a text",
    "'<stream end>'": "the end",
    "'<block end>'": "the end of its block",
    "'<block mapping start>'": "a name",
}
_OTHERWISE = "write well-formed YAML 1.2"


def yaml_fault(error: YAMLError | ValueError, text: str) -> tuple[str, str, int]:
    """The problem, what to write instead, and the line."""
    said = str(error)
    if isinstance(error, MarkedYAMLError):
        said = ", ".join(filter(None, (error.context, error.problem))) or said
    for pattern, problem, fix in _PATTERNS:
        if found := pattern.search(said):
            shown = [_PARTS.get(one or "", one) for one in found.groups()]
            return problem.format(*shown), fix, _line(error, text)
    return f"it is not YAML: {said.splitlines()[0]}", _OTHERWISE, _line(error, text)


def _line(error: YAMLError | ValueError, text: str) -> int:
    if isinstance(error, MarkedYAMLError):
        # Of a text without its closing quote the beginning counts: the file's end says nothing.
        is_open = "unexpected end of stream" in str(error.problem)
        mark = error.context_mark if is_open else error.problem_mark
        if mark is not None:
            return int(mark.line) + 1
    position = getattr(error, "position", None)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
