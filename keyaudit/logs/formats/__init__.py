"""One reader for each log."""
