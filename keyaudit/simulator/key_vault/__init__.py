"""Key Vault and Managed HSM."""
