"""`openapi`."""

import typer

from mailgun_emulator.cli.apps import new_app

app = new_app()


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of everything that is served."""
    from mailgun_emulator.openapi.document import as_text, document

    typer.echo(as_text(document()), nl=False)
