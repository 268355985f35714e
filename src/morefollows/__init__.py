"""More Follows: breaking-news alerts, from a newsroom to its readers' inboxes, within seconds."""

__version__ = "0.1.0"
