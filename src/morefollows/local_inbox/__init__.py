"""Where mail ends if no relay is set: an SMTP server on this machine, and its store."""
