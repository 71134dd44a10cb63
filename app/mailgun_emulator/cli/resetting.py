"""`reset`."""

from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.connection import Session, client_command

app = new_app()


@client_command(app)
def reset(session: Session) -> None:
    """Go back to the start; with --api-key empty that key's account and leave the others alone."""
    path = f"/_emulator/accounts/{session.account['id']}/reset" if session.api_key else "/_emulator/reset"
    told = session.post(path)
    session.confirm(told)
