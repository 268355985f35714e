"""The event streams that keep open story pages up to date.

`hub` has all streams of a process and sends them events, `connection` is one of them, `keep_alive`
sends a comment on each every 15 seconds. `journal` reads the events from the database, and
`missed_events` chooses those that a reader has missed.
"""
