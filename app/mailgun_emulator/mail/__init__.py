"""E-mail formats: arguments in, value out."""
