"""Send triggers to Meshline: durable before it answers, repeated without doubling."""

from meshline.errors import MeshlineError, Refused, Unreachable
from meshline.event import Emitted, Event
from meshline.producer import Producer

__all__ = ["Emitted", "Event", "MeshlineError", "Producer", "Refused", "Unreachable"]
