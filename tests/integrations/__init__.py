"""Other programs that use More Follows, as they are: a real WordPress, a real Ghost."""
