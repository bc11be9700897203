"""What is read from Microsoft Graph."""
