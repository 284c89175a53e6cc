"""The governance machine: people act in any order, processes die, nothing goes live unapproved."""
