"""The only code that talks to Azure: environments, sign-in, and one gateway, pinned and paced. A refusal is a value."""
