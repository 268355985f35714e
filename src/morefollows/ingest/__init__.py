"""Stories that come from outside: read from a file, cleared of boilerplate, saved as a draft."""
