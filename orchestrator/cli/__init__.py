"""The `meshline` command: one small file a group, and nothing heavy loaded before it is needed."""
