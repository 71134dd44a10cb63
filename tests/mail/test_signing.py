from mailgun_emulator.mail.signing import sign


def test_a_signature_is_as_mailgun_makes_it() -> None:
    """The vector that Mailgun's PHP client is tested with; facts/sending.md, 4.5 has one of its digits wrong."""
    key = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
    token = "5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6"
    expected = "9cfc5c41582e51246e73c88d34db3af0a3a2692a76fbab81492842f000256d33"
    assert sign(key, "1403645220", token) == sign(key, 1403645220, token) == expected
