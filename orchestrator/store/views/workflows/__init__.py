"""What people read of workflows: all of them with their live counts, or one with its flow."""
