"""Placeholders of templates: the values that they stand for, and the filters that follow a name."""
