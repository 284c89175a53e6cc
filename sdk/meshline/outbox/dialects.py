"""What differs between the databases that hold an outbox: its tables, and their clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshline.errors import MeshlineError

TABLE = "meshline_outbox"
LONGEST = 255  # characters of both names of an aggregate

_NAME = re.compile(r"[A-Za-z_]\w{0,40}(\.[A-Za-z_]\w{0,40})?", re.ASCII)


@dataclass(frozen=True)
class Dialect:
    """One kind of database. Each text is SQL; `{table}` is the outbox's name."""

    name: str
    tables: tuple[str, ...]  # run in order, they make the three tables; again, they change nothing
    now: str
    later: str  # `{seconds}` from now
    age: str  # seconds since the moment `{moment}`
    order: str  # by position, so that the index over refused_at and position gives it unsorted

    def after(self, seconds: float) -> str:
        """The moment in so many seconds, as SQL."""
        return self.later.format(seconds=f"{float(seconds):.3f}", millis=round(seconds * 1000))


# The columns that every application writes have Debezium's names. `position` is the order of
# inserts; nobody remembers one, since a transaction may commit a lower one later.
_POSTGRESQL = Dialect(
    name="postgresql",
    tables=(
        """\
CREATE TABLE IF NOT EXISTS {table} (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id varchar(400) NOT NULL UNIQUE DEFAULT CAST(gen_random_uuid() AS varchar),
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    payload text NOT NULL CHECK (CAST(payload AS json) IS NOT NULL),
    client varchar(255),
    tracingspancontext text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    refused_at timestamptz,
    error text
)""",
        "CREATE INDEX IF NOT EXISTS {index} ON {table} (refused_at, position)",
        """\
CREATE TABLE IF NOT EXISTS {table}_lease (
    id integer PRIMARY KEY CHECK (id = 1),
    holder varchar(255),
    held_until timestamptz
)""",
        "INSERT INTO {table}_lease (id) VALUES (1) ON CONFLICT DO NOTHING",
        """\
CREATE TABLE IF NOT EXISTS {table}_dropped (
    position bigint PRIMARY KEY,
    id varchar(400) NOT NULL,
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    client varchar(255),
    error text,
    dropped_at timestamptz NOT NULL,
    dropped_by varchar(255) NOT NULL,
    why text NOT NULL
)""",
    ),
    now="clock_timestamp()",
    later="clock_timestamp() + interval '{seconds} seconds'",
    age="CAST(extract(epoch FROM clock_timestamp() - {moment}) AS double precision)",
    order="refused_at, position",
)

_MARIADB = Dialect(
    name="mariadb",
    tables=(
        """\
CREATE TABLE IF NOT EXISTS {table} (
    position bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id varchar(400) NOT NULL DEFAULT (uuid()),
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    payload longtext NOT NULL CHECK (json_valid(payload)),
    client varchar(255),
    tracingspancontext text,
    created_at datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
    attempts integer NOT NULL DEFAULT 0,
    retry_at datetime(6),
    refused_at datetime(6),
    error text,
    UNIQUE KEY {index}_id (id),
    KEY {index} (refused_at, position)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        """\
CREATE TABLE IF NOT EXISTS {table}_lease (
    id integer PRIMARY KEY CHECK (id = 1),
    holder varchar(255),
    held_until datetime(6)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        "INSERT IGNORE INTO {table}_lease (id) VALUES (1)",
        """\
CREATE TABLE IF NOT EXISTS {table}_dropped (
    position bigint PRIMARY KEY,
    id varchar(400) NOT NULL,
    aggregatetype varchar(255) NOT NULL,
    aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    client varchar(255),
    error text,
    dropped_at datetime(6) NOT NULL,
    dropped_by varchar(255) NOT NULL,
    why text NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
    ),
    now="utc_timestamp(6)",
    later="utc_timestamp(6) + INTERVAL {millis} * 1000 MICROSECOND",
    age="timestampdiff(MICROSECOND, {moment}, utc_timestamp(6)) / 1e6",
    order="position",
)

_SQLITE = Dialect(
    name="sqlite",
    tables=(
        """\
CREATE TABLE IF NOT EXISTS {table} (
    position integer PRIMARY KEY AUTOINCREMENT,
    id text NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(16)))),
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    payload text NOT NULL CHECK (json_valid(payload)),
    client text,
    tracingspancontext text,
    created_at text NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    attempts integer NOT NULL DEFAULT 0,
    retry_at text,
    refused_at text,
    error text
)""",
        "CREATE INDEX IF NOT EXISTS {index} ON {table} (refused_at, position)",
        """\
CREATE TABLE IF NOT EXISTS {table}_lease (
    id integer PRIMARY KEY CHECK (id = 1),
    holder text,
    held_until text
)""",
        "INSERT OR IGNORE INTO {table}_lease (id) VALUES (1)",
        """\
CREATE TABLE IF NOT EXISTS {table}_dropped (
    position integer PRIMARY KEY,
    id text NOT NULL,
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    client text,
    error text,
    dropped_at text NOT NULL,
    dropped_by text NOT NULL,
    why text NOT NULL
)""",
    ),
    now="strftime('%Y-%m-%d %H:%M:%f', 'now')",
    later="strftime('%Y-%m-%d %H:%M:%f', 'now', '+{seconds} seconds')",
    age="(julianday('now') - julianday({moment})) * 86400.0",
    order="refused_at, position",
)

_ALIASES = {"mysql": "mariadb"}  # what Django calls it
DIALECTS = {one.name: one for one in (_POSTGRESQL, _MARIADB, _SQLITE)}


def ddl(dialect: str, *, table: str = TABLE) -> tuple[str, ...]:
    """The statements that make an outbox in a database; run again, they change nothing.

    `dialect` is postgresql, mariadb, or mysql for the same, or sqlite. Raises MeshlineError for
    another one, and for a table's name that is not plain.
    """
    known = _ALIASES.get(dialect, dialect)
    if known not in DIALECTS:
        raise MeshlineError(f"dialect: {dialect!r} is not one of {', '.join(DIALECTS)}")
    named = checked_table(table)
    index = f"{named.rpartition('.')[2]}_due"
    return tuple(one.format(table=named, index=index) for one in DIALECTS[known].tables)


def checked_table(name: str) -> str:
    """The name, if SQL may hold it without quotes. Raises MeshlineError if not."""
    if not _NAME.fullmatch(name):
        raise MeshlineError(
            f"table: {name!r} is not a plain name; use letters, digits and _, and one dot at most"
            " after a schema"
        )
    return name
