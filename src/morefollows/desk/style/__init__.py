"""The page that shows the parts of the desk, at `/desk/style/` in development."""
