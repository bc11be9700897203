"""Who can reach keys, by which way: role assignments, access policies, and who is in the groups that they name."""
