"""Plans of Terraform: read, and judged as the tenant that they would make."""
