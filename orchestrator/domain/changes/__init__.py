"""Changes: a proposed version of a workflow, from its draft until it is live or given up."""
