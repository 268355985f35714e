"""The next update of a story that was sent: follow-up, correction, withdrawal."""
