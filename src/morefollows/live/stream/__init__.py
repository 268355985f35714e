"""The event streams that keep open story pages up to date."""
