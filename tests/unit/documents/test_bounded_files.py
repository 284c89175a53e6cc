"""What people name is read up to a bound, whatever is behind the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.definition_file import read_definition
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.recipes.file import read_recipe
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.keeper.contacts import read_contacts


@pytest.mark.parametrize("read", [read_workflow, read_definition, read_recipe, read_contacts])
def test_a_file_without_an_end_is_refused(read: object) -> None:
    assert callable(read)
    with pytest.raises(InvalidFile, match="larger than 1 MiB"):
        read(Path("/dev/zero"))


def test_a_file_is_read_to_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)

    assert read_bounded(path, 100) == b"x" * 100
    with pytest.raises(OSError, match="larger"):
        read_bounded(path, 99)
