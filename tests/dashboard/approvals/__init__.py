"""Events that wait for a yes, in the desk: the list, one of them, a group, and the acts."""
