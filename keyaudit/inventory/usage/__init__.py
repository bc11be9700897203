"""Usage baselines: learned from one window of logs, and compared with another."""
