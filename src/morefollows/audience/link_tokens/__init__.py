"""Tokens in links, Message-IDs and return paths.

`tokens` makes and checks them, `links` finds the rows that they name, and `alert_tokens` makes
those of many readers at once.
"""
