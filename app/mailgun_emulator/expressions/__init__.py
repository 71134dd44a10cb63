"""The languages that users write; arguments in, value out."""
