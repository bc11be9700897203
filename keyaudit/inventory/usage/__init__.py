"""What is usual: learned from one window of logs, and held against another."""
