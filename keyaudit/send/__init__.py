"""What is sent to people and systems: messages, tickets, rows for Log Analytics."""
