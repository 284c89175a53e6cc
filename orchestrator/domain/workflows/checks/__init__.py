"""What a check of a workflow file finds beyond whether it compiles: names, types, dead routes."""
