"""Words and signs of other languages in an expression, and what CEL has in their place."""

from __future__ import annotations

import re

from orchestrator.domain.workflows.cel.text import blanked

_TERNARY = "write `condition ? one : other`"
_PATH = "write the path from `data`, such as `data.email`, in a fact; elsewhere a fact's name"
_NULLISH = "write {value: ..., optional: true} in the fact, or `x != null ? x : ...`"

_CURLY = "[\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u201f]"

_SIGNS: tuple[tuple[str, str], ...] = (
    (r"\{\{|\}\}|\{%", "write the expression without `{{` and `}}`"),
    (r"\$\{", "write the expression without `${` and `}`"),
    (r"\$|@\.", _PATH),
    (_CURLY, "write straight quotes: \" or '"),
    (r"`", "write quotes: \" or '"),
    (r"===", "write `==`"),
    (r"!==", "write `!=`"),
    (r"<>", "write `!=`"),
    (r"=~|~=?", 'write `text.matches("...")`'),
    (r"=<", "write `<=`"),
    (r"=>(?=\s*[-\d.])", "write `>=`"),
    (r"=>|->", "write a loop as `list.map(x, ...)`"),
    (r":=", "write `==` to compare"),
    (r"(?<![=!<>])=(?!=)", "write `==` to compare"),
    (r"\?\?", _NULLISH),
    (r"\?\.", _NULLISH),
    (r"(?<!&)&(?!&)", "write `&&`"),
    (r"(?<!\|)\|(?!\|)", "write `||` for or; a function is called as `size(x)`"),
    (r"\*\*|\^", "there is no power in CEL: multiply"),
    (r"\+\+|--(?=\s*$)", "write `+ 1`"),
    (r"[+\-*/]=", "write `==` to compare"),
    (r";", "write one expression, without `;`"),
    (r"#", "write a comment as `// ...`"),
    (r"\\", "write it within quotes"),
    (r"\[[^\[\]]*(?<![?\w\s]):[^\[\]]*\]|\[\s*\d+\s*:|\[\s*:", "an index is one number: `[0]`"),
    (r"\bin\s*\((?=[^()]*,)", "write a list in square brackets: `in [...]`"),
    (r"(?<=\d),(?=\d)", "write a decimal point: `1.5`"),
)
_WORDS: tuple[tuple[str, str], ...] = (
    (r"between", "write `x >= 1 && x <= 9`"),
    (r"is\s+not", "write `!=`"),
    (r"not\s+in", "write `!(x in [...])`"),
    (r"and(?:also)?", "write `&&`"),
    (r"or(?:else)?", "write `||`"),
    (r"not", "write `!`"),
    (r"is|equals|eq", "write `==`"),
    (r"ne|neq", "write `!=`"),
    (r"lt|gt|lte|gte|le|ge", "write `<`, `>`, `<=` or `>=`"),
    (r"like|ilike|rlike|regexp", 'write `text.contains("...")` or `text.matches("...")`'),
    (r"contains|startsWith|endsWith|matches", "call it: `text.contains(...)`"),
    (r"if|then|else|elif|elseif|unless|when|case", _TERNARY),
    (r"for|while|lambda|function|return|let|var|const", "write a loop as `list.map(x, ...)`"),
    (r"mod", "write `%`"),
    (r"div", "write `/`"),
)  # fmt: skip
_SIGN = [(re.compile(pattern), fix) for pattern, fix in _SIGNS]
_WORD = [
    (re.compile(rf"(?<![\w.])(?:{pattern})(?![\w])", re.IGNORECASE), fix) for pattern, fix in _WORDS
]


def foreign(text: str) -> tuple[str, str] | None:
    """A sign or word that CEL does not have, and what to write; None where there is none."""
    bare = blanked(text)
    for pattern, fix in (*_SIGN, *_WORD):
        if found := pattern.search(bare):
            shown = " ".join(found[0].split())
            return f"`{shown}` is not CEL (column {found.start() + 1})", fix
    return None
