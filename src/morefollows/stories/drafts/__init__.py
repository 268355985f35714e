"""The draft of a story's next update: saving it, approval, who has it open, duplicates."""
