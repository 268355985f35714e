"""Finding a reader by exact address, growth, and suppressions."""
