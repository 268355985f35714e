"""The page behind the preferences link in every mail, and the reader's own data as a file."""
