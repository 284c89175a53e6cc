"""What a change changes, in words for who approves it: pure, from the two versions alone."""
