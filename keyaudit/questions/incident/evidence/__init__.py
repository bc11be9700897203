"""Log evidence about a key and its users."""
