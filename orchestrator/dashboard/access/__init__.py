"""Who comes: by a session, a proxy, the login of the settings; and the gate before all pages."""
