"""Readers' pages, without sign-in: sign-up, the box, preferences, stories, images, feeds."""
