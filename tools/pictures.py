"""`make pictures`: what the operator sees, taken from a Meshline that runs, by Chromium.

It plays the case of the demo: 40 leads arrive, the form renames a field, 20 more arrive. That is
when Now and the incident are taken. One recipe and one plan heal it; then come the way of a healed
event and the map of the workflow. Windows are always the same; times and ids are those of the day.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from orchestrator.embedded.child import Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PASSWORD = "only for the pictures"  # of a Flower that lives for half a minute
WIDTH, HEIGHT = 1200, 760  # CSS pixels of a window
TALL = 1700  # of one in which a part of a page is seen whole
TIERS = ("enterprise", "pro", "pro", "starter")
PATIENCE = 120.0  # seconds


def main() -> int:
    """Take the pictures; 1 where there is no Chromium."""
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
            with _running(chromium) as browser:
                shots = _Shots(browser, f"http://127.0.0.1:{port}")
                _break_the_form(home, environment)
                shots.take("now", "/now")
                shots.take("now-dark", "/now", dark=True)
                shots.take("incident", "/incidents/1", height=1100)
                healed = _heal(environment)
                shots.take("event", f"/events/{healed}", part="#line")
                shots.take("workflow", "/workflows/acme/lead-routing", part="#map")
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


def _heal(environment: Mapping[str, str]) -> str:
    """Heal it as the README does; the id of an event that was healed."""
    listing = ("events", "list", "--state", "quarantined", "--limit", "1", "--json")
    event: str = json.loads(_meshline(environment, *listing))["events"][0]["id"]
    workflow = ("--workflow", "lead-routing")
    rename = ("--rename", "customer_tier=tier", "--apply", "--publish")
    _meshline(environment, "quarantine", "recipe", *workflow, *rename)
    plan = json.loads(_meshline(environment, "quarantine", "replay", *workflow, "--plan", "--json"))
    _meshline(environment, "quarantine", "run", plan["token"])
    _wait(environment, "delivered", 60)
    return event


@contextmanager
def _running(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=alone)
        yield browser
        browser.close()


class _Shots:
    """Takes pages of one desk."""

    def __init__(self, browser: Browser, desk: str) -> None:
        self._browser = browser
        self._desk = desk

    def take(
        self, name: str, path: str, *, dark: bool = False, part: str = "", height: int = HEIGHT
    ) -> None:
        """Write the picture of a page, or of the part that a selector finds."""
        page = self._browser.new_page(
            viewport={"width": WIDTH, "height": TALL if part else height},
            http_credentials={"username": "operator", "password": PASSWORD},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page.goto(self._desk + path, wait_until="networkidle")
        page.evaluate("document.activeElement.blur()")  # no ring around anything
        file = PICTURES / f"{name}.png"
        if part:
            page.locator(part).screenshot(path=file, animations="disabled")
        else:
            page.screenshot(path=file, animations="disabled")
        page.close()
        sys.stdout.write(f"wrote {file.relative_to(ROOT)}\n")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
