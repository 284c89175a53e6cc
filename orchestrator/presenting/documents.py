"""Values as JSON documents: the one place where `--json` and HTTP get theirs.

The keys of a document are the fields of its value, in their order. A value whose document differs,
because a key is a word of Python or is only there sometimes, has a method `as_json`.
"""

from __future__ import annotations

import orjson

from orchestrator.domain.documents.fields_of import fields_of

_FOR_PEOPLE = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def to_json(document: object, *, indented: bool = False) -> bytes:
    """A value, or lists and mappings of values, as JSON text in UTF-8.

    Raises TypeError for what has no form as JSON.
    """
    options = orjson.OPT_PASSTHROUGH_DATACLASS | (_FOR_PEOPLE if indented else 0)
    return orjson.dumps(document, default=keys_of, option=options)


def keys_of(value: object) -> object:
    """One value as the object that stands for it; values in it are left as they are.

    Raises TypeError for what has no form as JSON.
    """
    own = getattr(value, "as_json", None)
    return fields_of(value) if own is None else own()
