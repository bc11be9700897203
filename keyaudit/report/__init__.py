"""From a report to text: one file a format. Names from the tenant are hostile in every one of them."""
