"""Moves everything from SQLite to PostgreSQL, and proves that both have the same."""
