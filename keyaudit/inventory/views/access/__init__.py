"""The views of access: grants, and who reaches what."""
