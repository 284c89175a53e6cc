"""What a rollback costs while many events are on their way."""
