"""Brings a story in from a file or a web address: a draft, or a question about its headline."""
