"""Output to a terminal, progress, and how a command stops."""
