"""The life of a message, from acceptance to its last event, and all other work done in the background."""
