"""The keeper: resolves incidents that are over, keeps the clocks, and alerts people."""
