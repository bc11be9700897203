"""The views of Entra's objects."""
