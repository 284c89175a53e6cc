"""`meshline change`: proposed versions of workflows, and what their approvers say."""
