"""Who listens: readers, topics, consent, preferences, suppression, and the tokens in links."""
