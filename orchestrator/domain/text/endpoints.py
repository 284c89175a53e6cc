"""Addresses of broker, database and proxy: which can work, and what is wrong with one that cannot.

What is said never repeats the address: it may hold a password.
"""

from __future__ import annotations

import re

BROKER_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "amqp", "amqps")

_BROKERS = "write redis://… or valkey:// (rediss:// or valkeys:// over TLS), or amqp:// (amqps://)"
_DATABASES = "write postgresql://USER@HOST/DATABASE or sqlite:////FOLDER/FILE"
_PROXIES = "write http://HOST:PORT"
NO_PROXY_AT_ALL = "off"  # what the setting says where requests go out directly
_LOCAL = ("127.0.0.1", "localhost", "::1")
_PORTS = {
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys"), 6379),
    **dict.fromkeys(("amqp", "pyamqp"), 5672),
    "amqps": 5671,
    **dict.fromkeys(("postgresql", "postgres"), 5432),
}
_ESCAPES = "in a name or password write @ : / ? # % as %40 %3A %2F %3F %23 %25"

_SENTINEL = "Sentinel is not spoken; write redis:// and the primary's host, or a proxy's"

# As SQLAlchemy reads an address, so that both find the same parts in it.
_PARTS = re.compile(
    r"(?P<scheme>[\w+.-]+)://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?]*))?(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<path>[^?]*))?(?:\?(?P<query>.*))?"
)
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def broker_fault(address: str) -> str | None:
    """Why a broker's address cannot work, with what to write instead; several end with `;`."""
    parts = [one for one in address.split(";") if one]
    faults = (_fault_in_broker(one) for one in parts or [""])
    return next((fault for fault in faults if fault), None)


def kombu_address(address: str) -> str:
    """A broker's address in the scheme that Kombu knows: Valkey speaks as Redis does."""
    return re.sub(r"(^|;)valkey(s?)://", r"\1redis\2://", address)


def local_ports(address: str) -> set[int]:
    """The ports of this machine that an address, or one of several with `;`, leads to.

    >>> local_ports("redis://127.0.0.1/0;redis://db.example:7000/0;amqp://localhost:5673")
    {6379, 5673}
    """
    found = [_PARTS.fullmatch(one) for one in address.split(";") if one]
    return {
        int(one["port"] or _PORTS.get(one["scheme"].partition("+")[0], 0))
        for one in found
        if one and (one["ipv6"] or one["host"]) in _LOCAL
    }


def database_fault(address: str) -> str | None:
    """Why a database's address cannot work, with what to write instead."""
    found = _PARTS.fullmatch(address)
    if found is None:
        return f"it is not a database address; {_DATABASES}"
    backend, _, driver = found["scheme"].partition("+")
    if backend == "sqlite":
        return _fault_in_file(found)
    if backend not in ("postgresql", "postgres"):
        return f"{backend!r:.40} is not a database that is known; {_DATABASES}"
    if driver not in ("", "psycopg"):
        return f"the driver {driver!r:.40} is not used; write postgresql://"
    if not found["path"]:
        return f"it names no database; {_DATABASES}"
    return _fault_in_place(found)


def proxy_fault(address: str) -> str | None:
    """Why a proxy's address cannot work, with what to write instead."""
    found = _PARTS.fullmatch(address if "://" in address else f"http://{address}")
    if found is None:
        return f"it is not a proxy's address; {_PROXIES}"
    if found["scheme"] not in ("http", "https"):
        return f"a proxy that speaks {found['scheme']!r:.40} is not used; {_PROXIES}"
    if not (found["host"] or found["ipv6"]):
        return f"it names no host; {_PROXIES}"
    if found["path"] or found["query"]:
        return f"it holds more than a host and a port; {_PROXIES}"
    return _fault_in_place(found)


def _fault_in_broker(address: str) -> str | None:
    found = _PARTS.fullmatch(address)
    if found is None:
        return f"it is not a broker's address; {_BROKERS}"
    scheme = found["scheme"]
    if scheme == "sentinel":
        return _SENTINEL
    if scheme not in (*BROKER_SCHEMES, "pyamqp"):
        return f"{scheme!r:.40} is not a broker that is known; {_BROKERS}"
    if not (found["host"] or found["ipv6"]):
        return "it names no host; write it after ://, such as redis://127.0.0.1:6379/0"
    for part in ("user", "password", "path"):
        # Kombu reads an address as a URL, in which these end it.
        if re.search(r"[#/?]", found[part] or "") and part != "path":
            return f"its user or password holds a sign that ends it; {_ESCAPES}"
    if "#" in address:
        return f"it holds a #; {_ESCAPES}"
    if scheme.startswith(("redis", "valkey")) and not re.fullmatch(r"\d*", found["path"] or ""):
        return "after the host comes a Redis database's number, such as /0"
    return _fault_in_place(found)


def _fault_in_place(found: re.Match[str]) -> str | None:
    """What is wrong with host, port or spelling, in an address of either kind."""
    if any(not one.isprintable() or one.isspace() for one in found[0]):
        return f"it holds a blank or a control character; {_ESCAPES}"
    if "@" in (found["host"] or ""):
        return f"it has more than one @; {_ESCAPES}"
    if found["port"] is not None and not _is_port(found["port"]):
        return f"its port is not a number from 1 to 65535; {_ESCAPES}"
    if _NO_ESCAPE.search("".join(found[one] or "" for one in ("user", "password", "path"))):
        return f"a % in it is not followed by two hexadecimal digits; {_ESCAPES}"
    return None


def _fault_in_file(found: re.Match[str]) -> str | None:
    if found["host"] or found["user"] or found["port"]:
        return "a file's path follows three slashes, an absolute one four: sqlite:////FOLDER/FILE"
    path = found["path"] or ""
    if path in ("", ":memory:") or path.startswith("file:"):
        return "it names no file, and a database in memory is lost with its process; name a file"
    if found["query"] is not None:
        return "a SQLite file takes no options; write a ? in its path as %3F"
    if _NO_ESCAPE.search(path):
        return "a % in its path is not followed by two hexadecimal digits; write it %25"
    if not path.isprintable():
        return "its path holds a control character"
    return None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65_536
