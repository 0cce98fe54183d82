"""Who may operate a device through the console: users, roles, sessions, tokens, and what is refused before any page."""
