"""A run, its findings and its listings."""
