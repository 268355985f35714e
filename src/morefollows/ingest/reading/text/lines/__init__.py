"""What a single line of a text is: a label, a byline, a time, a wire's sign, or part of a page."""
