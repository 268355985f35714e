"""Copies of the database: a SQLite file, or a dump of PostgreSQL."""
