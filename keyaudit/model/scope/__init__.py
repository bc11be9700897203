"""Parts of a tenant: filters, environments, owners and areas."""
