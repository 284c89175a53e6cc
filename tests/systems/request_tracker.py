"""A real Request Tracker 5 on loopback, from Debian's packages, with a database of its own."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import listens

_PROGRAMS = Path("/usr/share/request-tracker5")
_SETUP = Path("/usr/sbin/rt-setup-database-5")
_CONFIG = """\
Set($rtname, 'loopback.test');
Set($Organization, 'loopback.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{home}/rt.sqlite3');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MailCommand, 'testfile');
1;
"""
_USERS = """\
use strict; use warnings; use lib '/usr/share/request-tracker5/lib';
use RT -init;
my $user = RT::User->new(RT->SystemUser);
my ($done, $why) = $user->Create(Name => 'bot', Privileged => 1, EmailAddress => 'bot@example.com');
die $why unless $done;
for my $right (qw(SeeQueue CreateTicket ShowTicket DeleteTicket)) {
    ($done, $why) = $user->PrincipalObj->GrantRight(Right => $right, Object => RT->System);
    die $why unless $done;
}
my $token = RT::AuthToken->new(RT->SystemUser);
($done, $why, my $text) = $token->Create(Owner => $user->Id, Description => 'Meshline');
die $why unless $done;
print $text;
"""


@dataclass(frozen=True, kw_only=True)
class RequestTracker:
    """An RT that runs, and the token of its user."""

    port: int
    token: str

    def tickets(self, query: str) -> list[dict[str, Any]]:
        """The tickets of a search in RT's own words, with their subjects."""
        words = urllib.parse.urlencode({"query": query, "fields": "Subject", "per_page": 100})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/REST/2.0/tickets?{words}",
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["items"]
        return found

    def count(self, key: str) -> int:
        """How many tickets carry a key."""
        return len(self.tickets(f"RefersTo = 'meshline:{key}'"))


def start_request_tracker(home: Path, supervisor: Supervisor) -> RequestTracker:
    """An RT with one user who may make and see tickets. Skips the test where there is none."""
    if not _SETUP.exists():
        packages = "request-tracker5 rt5-db-sqlite rt5-standalone"
        pytest.skip(f"Request Tracker is not there: apt-get install {packages}")
    home.mkdir()
    (home / "more").mkdir()
    port = free_port()
    config = home / "RT_SiteConfig.pm"
    config.write_text(_CONFIG.format(home=home, port=port))
    environment = {"RT_SITE_CONFIG": str(config), "RT_SITE_CONFIG_DIR": str(home / "more")}
    database = ("--action", "init", "--skip-create", "--dba", "nobody", "--dba-password", "")
    _run(environment, str(_SETUP), *database)
    (home / "users.pl").write_text(_USERS)
    token = _run(environment, "perl", str(home / "users.pl"))
    server = ("--server", "Starlet", "--max-workers", "3", "--host", "127.0.0.1")
    supervisor.start(
        Program(
            name="request-tracker",
            command=(str(_PROGRAMS / "libexec" / "rt-server"), *server, "--port", str(port)),
            environment=environment,
            ready=listens(port),
            ready_within=60,
            stop_within=5,
        )
    )
    return RequestTracker(port=port, token=token)


def _run(environment: Mapping[str, str], *command: str) -> str:
    done = subprocess.run(
        command,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        pytest.skip(f"Request Tracker cannot be set up here: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()
