"""The commands, one file each: they read the clock, print and exit. Slow imports are inside the commands."""
