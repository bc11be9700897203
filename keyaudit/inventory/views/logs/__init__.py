"""The views of supplied logs."""
