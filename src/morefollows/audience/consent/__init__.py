"""Consent: its exact words, the evidence of each event, and the hash chain over it."""
