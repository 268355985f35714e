"""Template tags and filters of the desk's pages."""
