"""Azure's answers become rows, one file a surface, and every call's end becomes coverage. Nothing is judged here."""
