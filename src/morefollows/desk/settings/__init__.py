"""Pages of the settings, a folder for each subject. Administrators only."""
