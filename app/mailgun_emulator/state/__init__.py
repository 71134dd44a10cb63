"""What is remembered, and the verbs that change it."""
