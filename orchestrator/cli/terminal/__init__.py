"""What all commands share: options, errors, tables, progress, and how a command ends."""
