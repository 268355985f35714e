"""The readers of drills: the list, inviting them, and removing them."""
