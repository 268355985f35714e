"""What the newsroom says: stories, their updates, the alerts that mail them, and their states."""
