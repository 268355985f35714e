"""The web process: one server for pages, sign-ups, event streams and static files."""
