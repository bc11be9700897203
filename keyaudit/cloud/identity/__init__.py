"""Signs in and caches tokens."""
