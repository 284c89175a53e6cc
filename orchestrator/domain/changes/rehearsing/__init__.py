"""Rehearsals: a change run through the real chain where nothing is real."""
