"""keyaudit: audits the signing keys and credentials of an Azure and Entra tenant, and reports what could not be read."""

__version__ = "0.1.0"
