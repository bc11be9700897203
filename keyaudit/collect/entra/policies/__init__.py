"""Policies of Entra that limit credentials and tokens."""
