"""Requests about the installation itself: people, settings, webhooks, the log, its health."""
