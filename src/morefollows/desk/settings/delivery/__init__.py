"""Delivery: relays, DKIM, DNS records and checks."""
