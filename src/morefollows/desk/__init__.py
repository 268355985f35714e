"""Editors' pages, behind sign-in: one folder a subject, with its templates beside the views."""
