"""CI runs the README's commands where nothing is seen of what the tests know how to use."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEN = """
for path in /usr/lib/rabbitmq /usr/lib/postgresql /usr/bin/chromium /usr/local/bin/pg_ctl; do
  [ ! -e "$path" ] || echo "$path"
done
for name in rabbitmq-server chromium faketime mariadbd redis-server valkey-server psql openssl; do
  command -v "$name"
done
command -v make git >/dev/null && echo "make and git"
"""


def test_a_bare_machine_has_make_and_git_and_none_of_our_packages() -> None:
    done = subprocess.run(
        [".ci/bare", "sh", "-c", SEEN], cwd=ROOT, capture_output=True, text=True, check=True
    )
    if "NOT HIDDEN" in done.stderr:
        pytest.skip("this machine lets nobody mount")

    assert done.stdout.splitlines()[-1] == "make and git"
    assert all(line.startswith("bare: nothing") for line in done.stdout.splitlines()[:-1])
