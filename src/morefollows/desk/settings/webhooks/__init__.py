"""Webhooks: the addresses that events are posted to, and the deliveries to each."""
