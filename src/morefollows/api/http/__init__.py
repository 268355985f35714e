"""What the API keeps of HTTP: bodies, pages of lists, preconditions, repeated requests, errors."""
