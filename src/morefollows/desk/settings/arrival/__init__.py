"""Whether mail arrives: seed inboxes, canaries, objectives."""
