"""Settings and secrets, read from the environment and checked, and what Django makes of them."""
