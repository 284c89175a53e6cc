"""`make vendor-check DIR=folder`: see docs/howto/check-a-vendors-document.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from connectors.definition.extending import SHIPPED
from connectors.definition_file import read_definition
from connectors.http.definition import HttpDefinition
from orchestrator.domain.errors import InvalidFile
from tools.vendor_check.documents import read_documents
from tools.vendor_check.judging import Result, judge
from tools.vendor_check.report import as_json, table


def main(arguments: list[str] | None = None) -> int:
    """Print what was found; 1 where something differs, 2 where nothing can be checked."""
    options = _options(arguments)
    if not options.folder.is_dir():
        return _refused(f"{options.folder} is not a folder; say make vendor-check DIR=folder")
    documents, unusable = read_documents(options.folder)
    for name, why in unusable.items():
        print(f"{name} is left out: {why}", file=sys.stderr)
    if not documents:
        return _refused(f"{options.folder} has no OpenAPI 3 or Swagger 2 document")
    try:
        definitions = _definitions(options.definitions, options.only)
    except InvalidFile as error:
        return _refused(str(error))
    verdicts = [verdict for one in definitions for verdict in judge(one, documents)]
    if not verdicts:
        return _refused("there is no such connector over HTTP")
    if options.json:
        print(json.dumps(as_json(verdicts, documents, unusable), indent=2))
    else:
        print("\n".join(table(verdicts)))
    return 1 if any(one.result is Result.DIFFERS for one in verdicts) else 0


def _definitions(folder: Path, only: list[str]) -> list[HttpDefinition]:
    found = [read_definition(path) for path in sorted(folder.glob("*.yaml"))]
    return [
        one
        for one in found
        if isinstance(one, HttpDefinition) and (not only or one.connector in only)
    ]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make vendor-check", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the vendors' documents are")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--only", action="append", default=[], help="a connector; may be repeated")
    parser.add_argument(
        "--definitions", type=Path, default=SHIPPED, help="a folder of definitions of your own"
    )
    return parser.parse_args(arguments)


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
