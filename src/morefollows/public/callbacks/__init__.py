"""Requests of other programs to us: providers that report bounces, and hubs of feeds."""
