"""Approvals of events: asked, decided about, late, and asked anew where something else is sent."""
