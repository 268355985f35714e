"""The brand, with live previews."""
