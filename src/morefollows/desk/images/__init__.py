"""Adding an image to a story."""
