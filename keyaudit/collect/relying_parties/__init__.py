"""What services of yours trust, out of files that are supplied: keys that they hold, and settings by which they take tokens."""
