"""Drafts of what came in: made, brought up to date, given images, and taken back.

`item_drafts` makes them of items, and `file_drafts` of files and pages that somebody named.
"""
