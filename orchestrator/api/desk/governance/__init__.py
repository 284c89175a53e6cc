"""What goes live, by whom and when: changes, and the times in which none goes live."""
