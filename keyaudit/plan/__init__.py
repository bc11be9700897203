"""A Terraform or OpenTofu plan, read as the answers that Azure would give after it was applied.

`document` reads the file, `resources` resolves its resources, and a module for each service turns them into `answers`. The
collectors of a tenant then read these answers through `gateway`, and know nothing of plans.
"""
