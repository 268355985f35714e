"""Topics: adding, changing, ordering and retiring them, and merging one into another."""
