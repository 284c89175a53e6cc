"""What writes the pages and pictures of docs/; no part of what is shipped."""
