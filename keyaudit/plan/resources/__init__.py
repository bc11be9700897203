"""What each family of Terraform resources becomes in Azure."""
