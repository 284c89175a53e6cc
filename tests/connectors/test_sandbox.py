"""The sandbox keeps honest books, also when it fails as it was told."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.connectors.rigs import PROJECT, SECRET

PROGRAM = [sys.executable, "-m", "orchestrator.sandbox.server"]


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = SECRET, **headers: str
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, text, {"Authorization": f"Bearer {token}", **headers})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, json.loads(said) if said.startswith(b"{") else said


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port_file = tmp_path_factory.mktemp("sandbox") / "port"
    process = subprocess.Popen(
        [*PROGRAM, "--port-file", str(port_file)],
        cwd=PROJECT,
        env={**os.environ, "MESHLINE_SANDBOX_TOKEN": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 20
    while not port_file.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    yield Running(process=process, port=int(port_file.read_text()))

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out.startswith("sandbox: a stand-in CRM and helpdesk on http://127.0.0.1:")
    assert out.count("\n") == 1
    assert err == ""


@pytest.fixture
def books(sandbox: Running) -> Iterator[Running]:
    yield sandbox
    sandbox.ask("DELETE", "/faults")


def records(books: Running, key: str) -> list[dict[str, Any]]:
    _, ledger = books.ask("GET", "/ledger")
    return [record for record in ledger["records"] if record["key"] == key]


def test_a_second_ticket_is_a_second_ticket(books: Running) -> None:
    ticket = {"key": "t-1", "title": "Onboard", "queue": "senior", "titel": "dropped in silence"}
    first, second = (
        books.ask("POST", "/helpdesk/tickets", ticket),
        books.ask("POST", "/helpdesk/tickets", ticket),
    )

    assert (first[0], second[0]) == (201, 201)
    assert first[1]["id"] != second[1]["id"]
    _, found = books.ask("GET", "/helpdesk/tickets?key=t-1")
    assert [item["id"] for item in found["items"]] == [first[1]["id"], second[1]["id"]]
    assert found["items"][0]["fields"] == {
        "title": "Onboard",
        "queue": "senior",
        "description": None,
        "requester": None,
    }


def test_a_contact_is_folded_by_key_and_by_address_and_each_write_is_counted(
    books: Running,
) -> None:
    contact = {"email": "c-1@example.com", "tier": "pro"}
    ids = [
        books.ask("POST", "/crm/contacts", contact, Idempotency_Key=key)[1]["id"]
        for key in ("c-1", "c-1", "c-2")
    ]

    assert len(set(ids)) == 1
    (record,) = records(books, "c-1")
    assert (record["creates"], record["fields"]) == (3, contact)
    _, found = books.ask("GET", "/crm/contacts?key=c-2")
    assert [item["id"] for item in found["items"]] == [ids[0]]


def test_a_collection_keeps_any_object_as_it_is(books: Running) -> None:
    anything = {"a": [1, {"b": None}], "ü": "✓", "n": 1.5}

    status, made = books.ask("POST", "/records/any", anything, Idempotency_Key="r-1")

    assert status == 201
    _, read = books.ask("GET", f"/records/any/{made['id']}")
    assert read == {"id": made["id"], "key": "r-1", "fields": anything}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/records/any/999", None, 404),
        ("PATCH", "/records/any/1", {}, 405),
        ("POST", "/records/any", "{", 400),
        ("POST", "/records/any", [1], 422),
        ("POST", "/faults", {"mode": "no such"}, 422),
        ("POST", "/faults", {"mode": "slow", "seconds": "long"}, 422),
        ("POST", "/faults", {"mode": "slow", "speed": 1}, 422),
        ("POST", "/faults", {"mode": "error", "status": 200}, 422),
        ("POST", "/faults", {"mode": "error", "share": 0}, 422),
        ("GET", "/ledger?collection=records/any&after=-1", None, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    books: Running, method: str, path: str, body: object, status: int
) -> None:
    answered, said = books.ask(method, path, body)

    assert answered == status
    assert said["error"]


@pytest.mark.parametrize("path", ["/ledger", "/faults", "/records/any"])
def test_nothing_is_shown_or_kept_without_the_token(books: Running, path: str) -> None:
    for method in ("GET", "POST"):
        for token in ("wrong", "wröng", ""):
            assert books.ask(method, path, {"a": 1}, token=token)[0] == 401
    assert books.ask("GET", "/healthz", token="wrong")[0] == 200


@pytest.mark.parametrize(
    ("mode", "stored"),
    [
        ("slow", 1),
        ("error", 0),
        ("error_after_store", 1),
        ("rate_limit", 0),
        ("cut", 0),
        ("cut_after_store", 1),
        ("huge", 1),
        ("garbage", 1),
        ("redirect", 0),
    ],
)
def test_a_fault_strikes_once_and_stores_or_not_as_it_says(
    books: Running, mode: str, stored: int
) -> None:
    books.ask("POST", "/faults", {"mode": mode, "path": "/records/faulty", "seconds": 0})
    assert books.ask("POST", "/records/other", {})[0] == 201  # another path is spared
    try:
        books.ask("POST", "/records/faulty", {}, Idempotency_Key=mode)
    except (http.client.HTTPException, ConnectionError):
        assert mode.startswith("cut")

    assert len(records(books, mode)) == stored
    assert books.ask("POST", "/records/faulty", {})[0] == 201
    assert books.ask("GET", "/faults")[1] == {"faults": []}


def test_a_fault_with_a_share_strikes_some_and_its_seed_says_which(books: Running) -> None:
    def struck(seed: int) -> list[bool]:
        fault = {"mode": "error", "path": "/records/often", "count": 99, "share": 0.5, "seed": seed}
        books.ask("POST", "/faults", fault)
        answers = [books.ask("POST", "/records/often", {})[0] for _ in range(40)]
        books.ask("DELETE", "/faults")
        return [status == 500 for status in answers]

    assert 5 < sum(struck(1)) < 35
    assert struck(1) == struck(1) != struck(2)


def test_the_books_are_read_a_page_at_a_time(books: Running) -> None:
    for number in range(5):
        books.ask("POST", "/records/long", {"number": number}, Idempotency_Key=f"l-{number}")

    def page(after: int) -> list[str]:
        _, said = books.ask("GET", f"/ledger?collection=records/long&after={after}&count=2")
        return [record["key"] for record in said["records"]]

    assert [page(0), page(2), page(4), page(6)] == [["l-0", "l-1"], ["l-2", "l-3"], ["l-4"], []]
    books.ask("DELETE", "/records/long/3")  # a page with one that is gone is not the last for that
    _, said = books.ask("GET", "/ledger?collection=records/long&after=2&count=2")
    assert ([record["key"] for record in said["records"]], said["more"]) == (["l-3"], True)
    _, last = books.ask("GET", "/ledger?collection=records/long&after=4&count=2")
    assert last["more"] is False


def test_a_port_in_use_is_said_in_one_line(books: Running) -> None:
    said = start({"MESHLINE_SANDBOX_TOKEN": SECRET}, "--port", str(books.port))

    assert said.returncode == 1
    assert said.stderr.startswith(f"sandbox: cannot start on port {books.port}: ")
    assert said.stderr.count("\n") == 1


def test_without_a_token_it_does_not_start() -> None:
    said = start({})

    assert said.returncode == 1
    assert said.stderr.startswith("sandbox: set MESHLINE_SANDBOX_TOKEN")


def start(more: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *options],
        cwd=PROJECT,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
