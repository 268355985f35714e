"""Backups, restoring, and moving to another database."""
