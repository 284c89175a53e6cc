"""What drives events: accepting, claiming, saving stages, and their deliveries."""
