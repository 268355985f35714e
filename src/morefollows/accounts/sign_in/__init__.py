"""Signing in: passwords, passkeys, second factors, single sign-on, known devices, sessions."""
