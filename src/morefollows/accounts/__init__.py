"""Who works here: editors, their roles, invitations and passwords."""
