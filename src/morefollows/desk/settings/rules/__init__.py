"""Rules, limits of sign-ups and retention: settings as a list of fields."""
