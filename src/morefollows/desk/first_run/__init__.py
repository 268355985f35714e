"""The first run: the pages of the settings in five steps, with a test mail at the end."""
