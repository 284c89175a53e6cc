"""The ways of calls to destinations, and the logins they use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text, false

from orchestrator.store.database.tables.metadata import metadata

# The way of calls to a connector ("helpdesk"), to an action ("helpdesk.create_ticket") or to a
# destination ("acme/lead-routing/desk"): its breaker, pause and rate. No row: calls go out.
circuits = Table(
    "circuits",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("block", String(20)),  # pause or breaker; null: calls go out
    Column("reason", String(40)),
    Column("error", Text),  # the last failure, secrets masked
    Column("failures", Integer, nullable=False, server_default="0"),  # one after the other
    Column("since", BigInteger, nullable=False),
    Column("actor", String(255), nullable=False),  # who blocked or unblocked it
    Column("probe_at", BigInteger),  # open: when one call may try
    Column("nudged_at", BigInteger),  # when a held delivery was last sent to be that call
    Column("postponed_until", BigInteger),  # the destination asked for no call before
    Column("paid_until_us", BigInteger),  # the rate's budget is used up to this time, microseconds
    Column("granted", Integer),  # calls of the last reservation: an upsert cannot answer otherwise
    Column("updated_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger),  # when a call last got through, of those after a failure
    Column("only_event", String(32)),  # the one event that failed since; null: several, or none
    Column("probe_event", String(32)),  # the event that was sent to try, until it does
    Column("probing", Boolean, nullable=False, server_default=false()),  # half-open: a call tries
    Column("probes", Integer, nullable=False, server_default="0"),  # sent to try since it opened
    Column("pauses", Integer, nullable=False, server_default="0"),  # asked for in a row
    Column("pausing_since", BigInteger),
    Column("paused_until", BigInteger),  # paused: when that ends by itself; null: by a person
)

# The tokens of one login at a provider, which all processes share, and who refreshes them now.
oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("id", String(64), primary_key=True),  # a digest of the login as its definition names it
    Column("connector", String(64), nullable=False),  # that used it last
    Column("number", Integer, nullable=False),  # how often it was refreshed
    Column("sealed", Text),  # both tokens, under a key that is not in the store
    Column("good_until", BigInteger, nullable=False),  # of the access token, with a margin
    Column("kept_at", BigInteger, nullable=False),
    Column("holder", String(32)),  # of the lease: who refreshes
    Column("leased_until", BigInteger),
)
