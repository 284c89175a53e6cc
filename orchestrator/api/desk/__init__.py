"""What people do by commands and pages, over HTTP: read, and act by the same use cases."""
