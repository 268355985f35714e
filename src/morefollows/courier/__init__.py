"""How mail goes out: from an alert or letter in the database to a relay, and back to an outcome."""
