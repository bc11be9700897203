"""Facts: values that know why they may be unknown.

An expression makes the reason together with the value, so that a forgotten reason cannot be written. A view is a dictionary of
facts by derived column (`view`), made from stored cells (`relation.Rows`), other rows (`relation.one`), groups of rows
(`groups.groups`) and lists that must have been read to their end (`relation.unread`). Facts that several views read become a
table of their own (`prepared.Prepared`), which is read like stored rows. The joins follow from the reads.
"""
