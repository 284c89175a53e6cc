"""What people do on pages: one class per act, which runs its use case and shows the result."""
