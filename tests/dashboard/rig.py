"""Flower as a process of its own, and a browser's plain requests to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
USER, PASSWORD = "operator", "correct horse"

_TOKEN = "ab" * 16  # a page's cookie and its form have the same

_SERVE = """
import sys
from pathlib import Path
from orchestrator.dashboard.serve import serve
from orchestrator.settings import settings
serve(settings(), port_file=Path(sys.argv[1]))
"""


@dataclass(frozen=True, kw_only=True)
class RunningFlower:
    """Where it is, and how to talk to it."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    client: httpx.Client

    def get(self, path: str, *, login: bool = True) -> httpx.Response:
        """What a GET answers; redirects are not followed."""
        return self.client.get(f"{self.url}{path}", auth=(USER, PASSWORD) if login else None)

    def post(self, path: str) -> httpx.Response:
        """What a POST of a page from here answers."""
        return self.client.post(
            f"{self.url}{path}",
            auth=(USER, PASSWORD),
            headers={"Origin": self.url, "Cookie": f"_xsrf={_TOKEN}"},
            data={"_xsrf": _TOKEN},
        )


@contextmanager
def running_flower(
    folder: Path, *, store_url: str, broker_url: str, port: int = 0, **more: str
) -> Iterator[RunningFlower]:
    """Flower for the length of the block, on a free port unless one is named."""
    port_file, log = folder / "flower.port", folder / "flower.log"
    port_file.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "MESHLINE_HOME": str(folder),
        "MESHLINE_DATABASE_URL": store_url,
        "MESHLINE_BROKER_URL": broker_url,
        "MESHLINE_FLOWER_PORT": str(port),
        "MESHLINE_FLOWER_USER": USER,
        "MESHLINE_FLOWER_PASSWORD": PASSWORD,
        **more,
    }
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(port_file)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
    with process:
        try:
            wait_until(lambda: port_file.exists() or process.poll() is not None)
            assert port_file.exists(), log.read_text()
            url = f"http://127.0.0.1:{port_file.read_text().strip()}"
            with httpx.Client(timeout=30) as client:
                yield RunningFlower(url=url, process=process, log=log, client=client)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
