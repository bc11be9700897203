"""Other services' keys, and what they encrypt with."""
