"""What comes in: pushed news, the wire and the rules for it; mail that came back, and replies."""
