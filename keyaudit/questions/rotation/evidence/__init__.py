"""Who uses which version of a key, and how far its rotation has come."""
