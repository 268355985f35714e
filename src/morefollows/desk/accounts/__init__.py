"""Signing in, and choosing the first password by an invitation."""
