"""Mail that comes in by SMTP: from senders who log in, and for the domains of the accounts."""
