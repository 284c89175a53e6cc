"""A door in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.store.database.engine import Store

_SERVE = """
import sys
from pathlib import Path
from orchestrator.api.serve import serve
from orchestrator.settings import settings
from orchestrator.starting import prepare_process
prepare_process()
serve(settings(), port_file=Path(sys.argv[1]))
"""


@contextmanager
def process_of_a_door(store: Store, folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "MESHLINE_DATABASE_URL": store.url.render_as_string(hide_password=False),
        "MESHLINE_PORT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder / "door.port")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
