"""The language of conditions: its types and terms, its syntax, and the SQL that it becomes."""
