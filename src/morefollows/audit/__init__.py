"""Who did what: the append-only activity log. `desk.activity_log` shows it."""
