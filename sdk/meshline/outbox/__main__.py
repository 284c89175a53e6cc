"""`python -m meshline.outbox`: make an outbox, forward what is in it, look at it."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict

from meshline.errors import MeshlineError
from meshline.outbox.databases import Database
from meshline.outbox.dialects import DIALECTS, TABLE, ddl
from meshline.outbox.forwarder import LEASE_SECONDS, Forwarder
from meshline.outbox.table import ListedRow, OutboxTable, RefusedRow, Status
from meshline.producer import Producer

_SHOWN = 100  # refused events of one look
_LISTED = 1_000
_LONGEST_LEASE = 3600  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; answers its exit code: 0 done, 1 failed, 2 wrong usage."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        code: int = given.command(given)
        sys.stdout.flush()
    except BrokenPipeError:  # such as `| head`; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except MeshlineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m meshline.outbox", description=__doc__)
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--table", default=TABLE, help=f"its name; by default {TABLE}")
    there = argparse.ArgumentParser(add_help=False, parents=[every])
    there.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL"),
        help="sqlite:///FILE, postgresql://… or mariadb://…; by default DATABASE_URL, which other"
        " users of the machine cannot read",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    made = commands.add_parser("ddl", parents=[every], help="print the tables' SQL")
    made.add_argument("dialect", choices=sorted(DIALECTS))
    made.set_defaults(command=_ddl)
    made = commands.add_parser("create", parents=[there], help="make the tables")
    made.set_defaults(command=_create)
    made = commands.add_parser("forward", parents=[there], help="send what is in the outbox")
    _add_door(made)
    made.set_defaults(command=_forward)
    made = commands.add_parser("status", parents=[there], help="say what waits and was refused")
    made.add_argument("--json", action="store_true", help="as one JSON document")
    made.set_defaults(command=_status)
    made = commands.add_parser("list", parents=[there], help="each event, and why it waits")
    made.add_argument("--refused", action="store_true", help="only what the door refused")
    made.add_argument("--json", action="store_true", help="as one JSON document")
    made.set_defaults(command=_list)
    made = commands.add_parser("drop", parents=[there], help="delete refused events for good")
    made.add_argument("id", nargs="+", help="an event's id")
    made.add_argument("--why", required=True, help="the reason, which is kept with your name")
    made.add_argument("--yes", action="store_true", help="do it; without, it is only shown")
    made.set_defaults(command=_drop)
    made = commands.add_parser("retry", parents=[there], help="send refused events again")
    made.add_argument("id", help="an event's id, or `all`")
    made.set_defaults(command=_retry)
    return parser


def _add_door(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--door",
        default=os.environ.get("MESHLINE_URL"),
        help="the door's address; by default MESHLINE_URL. Its key is read from MESHLINE_KEY",
    )
    parser.add_argument("--once", action="store_true", help="end when nothing is left to send")
    parser.add_argument(
        "--lease",
        type=float,
        default=LEASE_SECONDS,
        metavar="SECONDS",
        help="after which another forwarder replaces one that was killed; 30 by default",
    )


def _ddl(given: argparse.Namespace) -> int:
    for statement in ddl(given.dialect, table=given.table):
        print(f"{statement};")
    return 0


def _create(given: argparse.Namespace) -> int:
    _table(given).create()
    return 0


def _forward(given: argparse.Namespace) -> int:
    if not given.door:
        raise MeshlineError("door: it is missing; give --door or MESHLINE_URL")
    if not 1 <= given.lease <= _LONGEST_LEASE:
        raise MeshlineError(f"lease: it must be from 1 to {_LONGEST_LEASE} seconds")
    # One send ends before the lease does, waits and all.
    patience = given.lease / 3
    with Producer(given.door, timeout=patience, deadline=patience) as producer:
        table = _table(given)
        forwarder = Forwarder(table, producer, lease=given.lease)
        return _once(forwarder, table) if given.once else _always(forwarder)


def _once(forwarder: Forwarder, table: OutboxTable) -> int:
    try:
        done = forwarder.forward()
    finally:
        forwarder.release()
    print(f"sent {done.sent}, refused {done.refused}, delayed {done.delayed}")
    if done.problem:
        raise MeshlineError(done.problem)
    # Only what this look left: what an application inserts behind it is for the next one.
    left = table.status()
    if done.elsewhere:
        print("another forwarder works on this outbox", file=sys.stderr)
        return 1 if left.waiting else 0
    if left.delayed:
        raise MeshlineError(f"{left.delayed} delayed, and tried again later: {left.error}")
    return 0


def _always(forwarder: Forwarder) -> int:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    forwarder.run(stop)
    return 0


def _status(given: argparse.Namespace) -> int:
    table = _table(given)
    status, refused = table.status(), table.refused(_SHOWN)
    if given.json:
        print(json.dumps({**asdict(status), "refused_events": [asdict(one) for one in refused]}))
    else:
        print("\n".join(_page(status, refused)))
    return 0


def _page(status: Status, refused: Sequence[RefusedRow]) -> list[str]:
    oldest = "" if status.oldest_seconds is None else f", the oldest {status.oldest_seconds:.0f} s"
    lines = [
        f"waiting    {status.waiting}{oldest}",
        f"delayed    {status.delayed}",
        f"refused    {status.refused}",
        f"forwarder  {status.forwarder or 'none'}",
    ]
    if status.error:
        lines.append(f"last error {status.error}")
    return lines + [f"{one.id}  {one.type}  {one.error}" for one in refused]


def _list(given: argparse.Namespace) -> int:
    found = _table(given).listed(_LISTED + 1, refused=given.refused)
    events, more = found[:_LISTED], len(found) > _LISTED
    if given.json:
        print(json.dumps({"events": [asdict(one) for one in events], "more": more}))
        return 0
    print("\n".join([*map(_line, events), *(["… and more"] if more else [])] or ["no events"]))
    return 0


def _line(one: ListedRow) -> str:
    about = f"{one.aggregate[0]} {one.aggregate[1]}"
    told = f"{one.state:<8} {one.seconds:>8.0f} s  {one.id}  {one.type}  of {about}"
    tries = f"  tried {one.attempts} times" if one.attempts else ""
    return f"{told}{tries}" + (f"\n           {one.error}" if one.error else "")


def _drop(given: argparse.Namespace) -> int:
    if not given.why.strip():
        raise MeshlineError("why: it is empty; say the reason")
    table, keys = _table(given), sorted(set(given.id))
    refused = table.listed(len(keys), keys=keys, refused=True)
    if missing := set(keys) - {one.id for one in refused}:
        raise MeshlineError(f"id: {min(missing)!r} is not a refused event; see `list --refused`")
    print("\n".join(map(_line, refused)))
    if not given.yes:
        print(f"{len(refused)} would be deleted for good; do it with --yes")
        return 0
    by = f"{getpass.getuser()}@{socket.gethostname()}"[:255]
    print(f"{table.drop(keys, by=by, why=given.why.strip())} were deleted for good")
    return 0


def _retry(given: argparse.Namespace) -> int:
    count = _table(given).retry(None if given.id == "all" else given.id)
    print(f"{count} will be sent again")
    if not count and given.id != "all":
        raise MeshlineError(f"id: {given.id!r} is not a refused event; see `status`")
    return 0


def _table(given: argparse.Namespace) -> OutboxTable:
    if not given.database:
        raise MeshlineError("database: it is missing; give --database or DATABASE_URL")
    return OutboxTable(Database(given.database), given.table)


if __name__ == "__main__":
    sys.exit(main())
