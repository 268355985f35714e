"""People: who works at the desk, their roles and rights, invitations. For administrators."""
