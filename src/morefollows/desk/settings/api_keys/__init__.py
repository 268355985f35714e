"""Keys of programs: the list, making one, revoking one. For administrators."""
