"""The tables of Entra's objects."""
