"""The vendors' documents in a folder: OpenAPI 3 and Swagger 2, as JSON or YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import orjson
import yaml

from tools.vendor_check.nodes import Node, root

METHODS = ("get", "post", "put", "patch", "delete")
_SUFFIXES = (".json", ".yaml", ".yml")
_MARK = re.compile(r"""(?m)(?:^|[,{])\s*["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\b""")
_ADDRESS = re.compile(r"(?:[a-z]+:)?(?://([^/?#]*))?([^?#]*)", re.IGNORECASE)


class Unusable(ValueError):
    """Raised when a file cannot be read as JSON or YAML."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a document says of one method of one path."""

    method: str
    path: str
    shared: Node  # what stands beside the methods of its path
    said: Node


@dataclass(frozen=True, kw_only=True)
class Document:
    """One file, and what it calls itself."""

    file: str  # relative to the folder
    title: str
    version: str
    whole: Node

    @property
    def swagger(self) -> bool:
        """Whether it is Swagger 2, which says bodies and answers otherwise."""
        return bool(self.whole.text("swagger"))

    def hosts(self) -> set[str]:
        """The hosts that it says the API is at."""
        return {host for host, _ in self._servers() if host}

    def roots(self) -> set[str]:
        """What may be before its paths."""
        return {"", *(path.rstrip("/") for _, path in self._servers())}

    def operations(self) -> Iterator[Operation]:
        """All that can be asked of the API."""
        for path, item in self.whole.get("paths").members():
            for method in METHODS:
                said = item.get(method)
                if isinstance(said.value, dict):
                    yield Operation(method=method, path=path, shared=item, said=said)

    def _servers(self) -> list[tuple[str, str]]:
        if self.swagger:
            return [(self.whole.text("host"), self.whole.text("basePath"))]
        return [_split(_filled(server)) for server in self.whole.get("servers").elements()]


def read_documents(folder: Path) -> tuple[list[Document], dict[str, str]]:
    """The documents in a folder and below it, and why other files could not be read, by name."""
    documents, unusable = [], {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            if found := _document(path, name):
                documents.append(found)
        except Unusable as error:
            unusable[name] = str(error)
    return documents, unusable


def _document(path: Path, name: str) -> Document | None:
    if not _MARK.search(path.read_text("utf-8", errors="replace")):
        return None
    uri = path.resolve().as_uri()
    whole = root(_content(uri), uri, _content)
    said = whole.get("info")
    if not isinstance(whole.get("paths").value, dict):
        return None
    return Document(file=name, title=said.text("title"), version=said.text("version"), whole=whole)


@cache
def _content(uri: str) -> object:
    """The content of a file; every key is text, as it is in JSON."""
    address = urlsplit(uri)
    if address.scheme != "file":
        raise Unusable("only files are read")
    path = Path(unquote(address.path))
    try:
        if path.suffix.lower() == ".json":
            return orjson.loads(path.read_bytes())
        return _with_text_keys(yaml.load(path.read_bytes(), _Loader))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise Unusable(str(error).splitlines()[0]) from None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads dates and a lone = as text, as JSON would have them."""


for _tag in ("timestamp", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda _, node: node.value)


def _with_text_keys(value: object) -> object:
    if isinstance(value, dict):
        return {str(name): _with_text_keys(one) for name, one in value.items()}
    return [_with_text_keys(one) for one in value] if isinstance(value, list) else value


def _filled(server: Node) -> str:
    url = server.text("url")
    for name, variable in server.get("variables").members():
        url = url.replace(f"{{{name}}}", variable.text("default"))
    return url


def _split(url: str) -> tuple[str, str]:
    found = _ADDRESS.match(url)
    return (found[1] or "", found[2] or "") if found else ("", "")
