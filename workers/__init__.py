"""Celery, as thin as it can be: the chain, the relay that publishes it, and the worker's set-up."""
