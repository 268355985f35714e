"""The Wire: what comes in from sources, what became of it and why; and the rules for it."""
