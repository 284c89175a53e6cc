"""A durable local queue of events that no door has taken yet: one SQLite file."""

from __future__ import annotations

from meshline.spool.queue import Spool, SpooledEvent, SpoolState

__all__ = ["Spool", "SpoolState", "SpooledEvent"]
