"""How much a reader wants and when, and the reader's own data."""
