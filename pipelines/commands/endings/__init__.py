"""How a command ends: its exit code, the line that tells of it, and what it says when there is nothing."""
