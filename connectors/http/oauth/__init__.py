"""OAuth 2 (RFC 6749): what is shown for a token, how it is fetched, and where it is kept."""
