"""Deliveries: the port to connectors, what an answer means, retries and circuit breakers."""
