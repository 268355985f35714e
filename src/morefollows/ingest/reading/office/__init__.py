"""Files of word processors: .docx, .odt and .rtf."""
