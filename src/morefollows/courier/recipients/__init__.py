"""Which readers an alert goes to."""
