"""The other sites that may show the sign-up box."""
