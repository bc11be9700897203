"""Renders reports, one module per format. Names from the tenant are hostile text in every format."""
