"""The page behind the preferences link in every mail."""
