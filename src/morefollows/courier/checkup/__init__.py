"""Checks of the way out, for `doctor` and the desk: relays, and what the domain publishes."""
