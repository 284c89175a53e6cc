"""Who may act: keys and their use, people, their roles, logins, sessions and signing keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from orchestrator.store.database.tables.metadata import metadata, serial

keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("label", String(255), nullable=False),
    Column("clients", Text, nullable=False),  # JSON list; ["*"] is every client
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("revoked_at", BigInteger),
    Column("role", String(16), nullable=False, server_default="producer"),
    Column("person_id", BigInteger, ForeignKey("people.id")),  # whose key it is; null: a program's
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),  # the last use, to a few seconds
    Column("replaced_by", String(16)),  # the key that it was rotated to
    Column("rate_per_second", Integer),  # triggers that each door takes of it; null: any
    Column("quota_per_day", BigInteger),  # triggers of a day of UTC; null: any
)

# What a key that has limits sent, day by day.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", ForeignKey(keys.c.id), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # of UTC since 1970
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What a source sent, day by day.
source_usage = Table(
    "source_usage",
    metadata,
    Column("source", String(64), primary_key=True),  # by its name
    Column("day", Integer, primary_key=True, autoincrement=False),  # of UTC since 1970
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

people = Table(
    "people",
    metadata,
    Column("id", serial, primary_key=True),
    Column("mail", String(320), nullable=False, unique=True),  # in small letters
    Column("name", String(255), nullable=False),
    Column("password", String(255)),  # a digest by argon2id; null: none was set
    Column("subject", String(255), unique=True),  # how the company's login names the person
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("disabled_at", BigInteger),
    sqlite_autoincrement=True,  # the audit names a person by mail; a number has one meaning too
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", BigInteger, ForeignKey("people.id"), primary_key=True),
    Column("client", String(64), primary_key=True),  # "*" is every client
    Column("role", String(16), primary_key=True),
    Column("granted_at", BigInteger, nullable=False),
    Column("granted_by", String(255), nullable=False),
)

# A person who has logged in. `id` is a digest of what the browser or the command line holds.
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("way", String(16), nullable=False),  # page, cli
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),  # whatever it is used for
    Column("ended_at", BigInteger),
    Index("ix_sessions_person_id", "person_id"),
)

# A link that may be used once, to set a password. `id` is a digest of what the link holds.
invites = Table(
    "invites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "person_id", BigInteger, ForeignKey("people.id")
    ),  # null: who uses it is the first admin
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

# Logins that failed lately, by a digest of the name or the address: the next one has to wait.
login_failures = Table(
    "login_failures",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ix_login_failures_last_at", "last_at"),
)

# Public keys by which people sign decisions; a key is one person's for good.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", serial, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("public_key", Text, nullable=False),  # as OpenSSH writes it
    Column("label", String(255), nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("counts_from", BigInteger, nullable=False),
    Column("confirmed_by", String(255)),  # an admin: it counts since then
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)
