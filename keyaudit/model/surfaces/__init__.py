"""Surfaces that are declared: each file has what is asked of Azure, the tables of its answers, and how these are read.

A file imports nothing of `model.operations` but its kinds, and nothing of `model.tables`, which find what is declared here.
"""

# The operations first: they import every file here whole, whichever of them is asked for.
from keyaudit.model import operations as operations
