"""Addresses that must not be mailed: why, and how a mistake is lifted."""
