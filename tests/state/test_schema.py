from importlib.resources import files

from mailgun_emulator.state.schema import script


def test_the_schema_file_is_what_the_tables_say() -> None:
    assert files("mailgun_emulator.state").joinpath("schema.sql").read_text() == script()
