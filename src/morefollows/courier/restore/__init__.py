"""Noticing that the database was turned back, and holding mail until an editor decides."""
