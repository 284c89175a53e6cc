"""`python -m meshline.spool`: what waits in a spool, what was refused, and what becomes of it."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from meshline.errors import MeshlineError
from meshline.spool.queue import Spool, SpooledEvent, SpoolState

_MOST_LISTED = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; 0 done, 1 failed with one line on stderr, 2 usage."""
    asked = _parser().parse_args(arguments)
    try:
        with contextlib.closing(Spool(_path(asked.path))) as spool:
            return _ACTS[asked.act](spool, asked)
    except (MeshlineError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _path(named: str | None) -> Path:
    if not named:
        raise MeshlineError("path: it is missing; name the spool, or set MESHLINE_SPOOL")
    if not Path(named).is_file():  # a misspelled one would be made
        raise MeshlineError(f"path: {named} is not a spool; see the producer's spool=")
    return Path(named)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m meshline.spool", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    listing = acts.add_parser("list", help="what is in it, and why; values and keys are masked")
    listing.add_argument("--refused", action="store_true", help="only what the door refused")
    listing.add_argument("--key", metavar="KEY", help="only the events with this idempotency key")
    listing.add_argument("--json", action="store_true", help="a JSON document")
    retry = acts.add_parser("retry", help="let refused events wait again, at the end")
    drop = acts.add_parser("drop", help="take events out for good; export them first")
    for act in (retry, drop):
        act.add_argument("--number", type=int, action="append", default=[], metavar="N")
        act.add_argument("--refused", action="store_true", help="all that were refused")
    export = acts.add_parser("export", help="whole events with their values, one per line")
    export.add_argument("--refused", action="store_true", help="only what the door refused")
    export.add_argument("--to", metavar="FILE", help="a new file, its owner's only")
    export.add_argument("--force", action="store_true", help="write over a file that is there")
    forward = acts.add_parser("forward", help="send what waits; the key is MESHLINE_KEY")
    forward.add_argument("--url", default=os.environ.get("MESHLINE_URL"), help="or MESHLINE_URL")
    forward.add_argument("--seconds", type=float, default=60.0, help="for how long at most")
    for act in (listing, retry, drop, export, forward):
        act.add_argument("path", nargs="?", default=os.environ.get("MESHLINE_SPOOL"))
    return parser


def _list(spool: Spool, asked: argparse.Namespace) -> int:
    events = [
        one
        for one in spool.every("refused" if asked.refused else None)
        if asked.key is None or one.idempotency_key == asked.key
    ]
    state, cause = spool.state(), spool.cause()
    if asked.json:
        document = {
            "waiting": state.waiting,
            "refused": state.refused,
            "bytes": state.bytes,
            "oldest_seconds": round(state.oldest),
            "cause": cause,
            "events": [_masked(one) for one in events[:_MOST_LISTED]],
            "left_out": max(0, len(events) - _MOST_LISTED),
        }
        _say(json.dumps(document, indent=2))
    else:
        _say("\n".join(_page(events, state, cause)))
    return 0


def _page(events: Sequence[SpooledEvent], state: SpoolState, cause: str | None) -> list[str]:
    lines = [f"{state.waiting} wait, {state.refused} were refused, {state.bytes} bytes"]
    lines += [f"they wait because: {cause}"] if cause else []
    lines += [
        f"{one.seq:>8}  {one.state:<8}  {_age(one):>9}  {one.type}"
        f"  {one.client or '-'}  key {_hidden(one.idempotency_key)}"
        + (f"\n          {one.error}" if one.error else "")
        for one in events[:_MOST_LISTED]
    ]
    if len(events) > _MOST_LISTED:
        lines.append(f"… and {len(events) - _MOST_LISTED} more")
    return lines


def _retry(spool: Spool, asked: argparse.Namespace) -> int:
    done = spool.retry(_chosen(spool, asked))
    _say(f"{done} wait again")
    return 0


def _drop(spool: Spool, asked: argparse.Namespace) -> int:
    done = spool.drop(_chosen(spool, asked))
    _say(f"{done} were taken out for good")
    return 0


def _chosen(spool: Spool, asked: argparse.Namespace) -> list[int]:
    """The numbers that were named. Raises MeshlineError where none is, or one is not there."""
    if bool(asked.number) == asked.refused:
        raise MeshlineError("number: say which events: --number N, or --refused")
    if asked.refused:
        return [one.seq for one in spool.every("refused")]
    there = {one.seq for one in spool.every("refused" if asked.act == "retry" else None)}
    if missing := sorted(set(asked.number) - there):
        what = "refused event" if asked.act == "retry" else "event"
        raise MeshlineError(f"number: {missing[0]} is not the number of a {what}; see `list`")
    return list(asked.number)


def _export(spool: Spool, asked: argparse.Namespace) -> int:
    events = spool.every("refused" if asked.refused else None)
    lines = [json.dumps({**json.loads(one.body), "error": one.error}) for one in events]
    text = "".join(f"{line}\n" for line in lines)
    if asked.to is None:
        sys.stdout.write(text)
        return 0
    _write(Path(asked.to), text, over=asked.force)
    _say(f"{len(events)} events are in {asked.to}")
    return 0


def _write(target: Path, text: str, *, over: bool) -> None:
    """Write a file that only its owner reads; one that is there is replaced whole, or kept.

    Raises MeshlineError.
    """
    place = target.with_name(f".{target.name}.{os.getpid()}") if over else target
    try:
        handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            place.replace(target)
        except OSError:
            place.unlink()
            raise
    except FileExistsError:
        fix = "name another file, or write over it with --force"
        raise MeshlineError(f"to: {target} is there already; {fix}") from None
    except OSError as error:
        raise MeshlineError(f"to: {target} cannot be written: {error.strerror}") from None


def _forward(spool: Spool, asked: argparse.Namespace) -> int:
    from meshline.producer import Producer  # only this act needs a door

    if not asked.url:
        raise MeshlineError("url: it is missing; give --url or MESHLINE_URL")
    if spool.state().waiting and spool.is_leased():
        sys.stderr.write("another forwarder works on this spool; this one waits for it\n")
    with Producer(asked.url, spool=spool, forward=False) as producer:
        left = producer.flush(asked.seconds)
    state = spool.state()
    _say(f"{left} wait still, {state.refused} were refused")
    return 1 if left or state.refused else 0


def _masked(one: SpooledEvent) -> dict[str, object]:
    return {
        "number": one.seq,
        "state": one.state,
        "type": one.type,
        "client": one.client or None,
        "idempotency_key": _hidden(one.idempotency_key),
        "seconds": round(max(0.0, time.time() - one.spooled_at)),
        "bytes": len(one.body),
        "error": one.error,
    }


def _hidden(key: str) -> str:
    """Enough of a key to tell it from others: a key may be a person's address."""
    begin = key[:4] if len(key) > 8 else ""
    return f"{begin}…#{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _age(one: SpooledEvent) -> str:
    seconds = int(max(0.0, time.time() - one.spooled_at))
    return f"{seconds} s" if seconds < 600 else f"{seconds // 60} min"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


_ACTS = {"list": _list, "retry": _retry, "drop": _drop, "export": _export, "forward": _forward}

if __name__ == "__main__":
    sys.exit(main())
