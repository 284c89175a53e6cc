"""Two versions of a vendor's document as cases: objects of the new one under the old contract.

For every schema that both versions have, objects are built from its examples: those of the old
version passed, those of the new one come now. The contract is the old schema, closed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path as File

from benchmarks.drift.cases import Case
from benchmarks.drift.real.described import Described
from benchmarks.drift.real.document import Document
from benchmarks.drift.real.truths import truths
from orchestrator.domain.contracts.contract import compile_contract

_VERSIONED = re.compile(r"(.+)-v?(\d[\w.]*)\.(?:json|yaml|yml)$")


def document_pairs(folder: File) -> list[tuple[Document, Document]]:
    """Neighbouring versions of the documents `NAME-VERSION.yaml` of a folder, oldest first."""
    files = [(_key(found[2]), found[2], one) for one in sorted(folder.iterdir())
             if (found := _VERSIONED.match(one.name))]  # fmt: skip
    documents = [Document(version, one) for _, version, one in sorted(files)]
    return list(itertools.pairwise(documents))


def version_cases(before: Document, after: Document, described: Described) -> Iterator[Case]:
    """One case for each schema whose new objects break the old one's contract."""
    for name in sorted(before.schemas.keys() & after.schemas.keys()):
        schema = before.contract(before.schemas[name])
        contract = compile_contract(schema, "annotate", [])
        if contract is None:
            continue
        accepted = [one for one in before.objects(name) if not contract.violations(one)]
        broken = [one for one in after.objects(name) if contract.violations(one)]
        if not accepted or not broken:
            continue
        pair = f"{before.version} to {after.version}"
        said = described.said(name, pair)
        yield Case(
            label=pair,
            source=name,
            schema=schema,
            accepted=accepted,
            broken=broken,
            truth=frozenset(truths(accepted, broken, schema, said)),
        )


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", version))
