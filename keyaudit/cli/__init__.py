"""The commands, one file each: they read the clock, print and exit. What is heavy is imported inside the command."""
