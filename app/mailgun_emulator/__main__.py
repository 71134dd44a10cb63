"""`python -m mailgun_emulator`."""

from mailgun_emulator.cli import main

main()
