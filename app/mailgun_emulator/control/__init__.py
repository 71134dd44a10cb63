"""`/_emulator`: what Mailgun does not have."""
