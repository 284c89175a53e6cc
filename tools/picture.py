"""`make picture`: what the operator sees, taken from a Meshline that runs and has something wrong.

It plays the case of the demo on this machine and leaves it unhealed: 40 leads arrive, the form
renames a field, 20 more arrive. Then Chromium takes the page of the incident.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright

from orchestrator.embedded.child import Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "incident.png"
PASSWORD = "only for the picture"  # of a Flower that lives for half a minute
TIERS = ("enterprise", "pro", "pro", "starter")
PATIENCE = 120.0  # seconds


def main() -> int:
    """Take the picture; 1 where there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("there is no chromium here: `apt-get install chromium`\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        port = _free_port()
        environment = {
            "MESHLINE_HOME": str(home / "home"),
            "MESHLINE_CONNECTORS": str(ROOT / "workflows" / "connectors"),
            "MESHLINE_PORT": "0",
            "MESHLINE_FLOWER_PORT": str(port),
            "MESHLINE_FLOWER_USER": "operator",
            "MESHLINE_FLOWER_PASSWORD": PASSWORD,
        }
        with Supervisor(home / "terminal") as supervisor:
            supervisor.start(_up(environment))
            _break_the_form(home, environment)
            _take(chromium, f"http://127.0.0.1:{port}/incidents/1")
    sys.stdout.write(f"wrote {PICTURE.relative_to(ROOT)}\n")
    return 0


def _up(environment: Mapping[str, str]) -> Program:
    return Program(
        name="up",
        command=(sys.executable, "-m", "orchestrator.cli.main", "up", "--example"),
        environment=environment,
        ready=says("everything runs"),
        ready_within=90,
    )


def _break_the_form(folder: Path, environment: Mapping[str, str]) -> None:
    _emit(folder, environment, range(40), "tier")
    _wait(environment, "delivered", 40)
    _emit(folder, environment, range(40, 60), "customer_tier")
    _wait(environment, "quarantined", 20)


def _emit(folder: Path, environment: Mapping[str, str], numbers: range, field: str) -> None:
    lines = folder / "leads.ndjson"
    leads = [
        {"email": f"lead-{number}@example.com", field: TIERS[number % len(TIERS)]}
        for number in numbers
    ]
    lines.write_text("".join(json.dumps(lead) + "\n" for lead in leads), "utf-8")
    about = ("--client", "acme", "--file", str(lines), "--lines", "--key", field)
    _meshline(environment, "emit", "lead.created", *about)


def _wait(environment: Mapping[str, str], state: str, expected: int) -> None:
    end = time.monotonic() + PATIENCE
    listing = ("events", "list", "--state", state, "--limit", "100", "--json")
    while len(json.loads(_meshline(environment, *listing))["events"]) < expected:
        if time.monotonic() > end:
            raise TimeoutError(f"there are no {expected} {state} events after {PATIENCE:g} s")
        time.sleep(0.5)


def _meshline(environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        (sys.executable, "-m", "orchestrator.cli.main", *words),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _take(chromium: str, address: str) -> None:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=alone)
        page = browser.new_page(
            viewport={"width": 1040, "height": 720},
            http_credentials={"username": "operator", "password": PASSWORD},
        )
        page.goto(address)
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
