"""HTTP connections: how many may be open, what one may send, and which process answers it."""
