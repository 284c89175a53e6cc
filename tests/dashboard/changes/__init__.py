"""Changes in the desk: the list, one of them, what waits for whom, and the acts."""
