"""Threads for pages: shared fairly between networks, by how much processor time each has used."""
