"""Changes as rows: proposed versions, their authors, and who decided about them."""
