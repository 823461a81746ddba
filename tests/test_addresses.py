from emostream.addresses import without_secrets


def test_tokens_and_passwords_are_not_shown() -> None:
    assert without_secrets("ws://me:secret@host:1/ws?token=secret&mode=all") == "ws://host:1/ws"
