"""Rows in a table of somebody's database."""
