"""Who works here: editors, their roles and rights, invitations, and how they get in (`sign_in`)."""
