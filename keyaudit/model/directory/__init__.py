"""Facts about Entra: privileges, Microsoft's applications, names that federated credentials trust."""
