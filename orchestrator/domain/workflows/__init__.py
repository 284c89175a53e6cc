"""Workflow files: what they may say, and a workflow that is ready to decide."""
