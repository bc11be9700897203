"""The evidence bundle: a folder for an auditor, complete or absent, whose manifest says what is in it to the last byte."""
