"""What logs show of a key and of those who used it."""
