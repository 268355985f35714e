"""What the DNS and HTTPS say about a domain's mail: its hosts, and how they are to be trusted."""
