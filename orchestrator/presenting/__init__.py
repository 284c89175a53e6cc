"""One wording of what the store holds, for the command line, the pages and the alerts alike."""
