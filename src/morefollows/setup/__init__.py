"""How the newsroom is set up: settings kept in the database, the brand, and the first run."""
