"""`demo`: a whole run with fictional readers, from sign-up to the inbox."""
