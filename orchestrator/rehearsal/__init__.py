"""Rehearsals: the real chain in a home of its own, which goes when it is over."""
