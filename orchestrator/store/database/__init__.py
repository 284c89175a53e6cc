"""The lowest floor of the store: tables, transactions, the clock, locks, and the audit."""
