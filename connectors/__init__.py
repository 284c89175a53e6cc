"""The ways out: one file or one YAML definition a system; what they share is the handoff."""
