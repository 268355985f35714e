"""Makes sense of a CSV file from any tool: its encoding, columns, dates and words."""
