"""A company's logs in the formats in which Azure and Microsoft 365 export them, and intrusions into it.

`company` has ordinary days, `attacks` the intrusions with their benign look-alikes and what must be found of each. Both follow
the published schemas and reports that they cite, not the code that reads the logs: they were written before it was read.
"""
