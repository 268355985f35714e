"""Home: the box for news, what is on its way, what needs somebody, and all stories."""
