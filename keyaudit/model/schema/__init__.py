"""How tables and columns are declared."""
