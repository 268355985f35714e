"""The relays: how they are, and pause and resume."""
