"""`meshline change`, and what publishing does where an approval is needed."""
