"""Rollouts: the steps of each, which events a canary takes, and what became of them."""
