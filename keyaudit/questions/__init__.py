"""What is asked of a snapshot besides its policies: a folder for each question."""
