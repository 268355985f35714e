"""How much a reader wants, and when."""
