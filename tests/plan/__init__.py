"""Plans of Terraform, made without it, and what Azure has after they are applied."""
