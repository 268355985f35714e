"""Addresses in the settings, each a URL with its options: relays, receivers, the log's copy."""
