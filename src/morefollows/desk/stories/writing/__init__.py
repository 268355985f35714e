"""What happens while somebody writes: automatic saves, preview, conflicts, who else is there."""
