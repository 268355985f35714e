"""One alert: its progress while it goes out, and stop, pause and retry."""
