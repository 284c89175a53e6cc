"""How long one client waits beside a flood of another."""
