"""What HTTP rows are measured with: the door, the load on it, and the destination."""
