"""Errors travel between processes, whatever their constructors take."""

import pickle

import pytest
from emostream.exceptions import (
    EmostreamError,
    ImageTooLargeError,
    InvalidImageError,
    ProtocolError,
    UnknownModelError,
)


@pytest.mark.parametrize(
    "error",
    [
        ImageTooLargeError(100, "the image has 101 pixels"),
        InvalidImageError("this is no image", "unknown"),
        ProtocolError("invalid_frame", "no JSON", 7),
        UnknownModelError("defalt", ("default",)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling_with_its_message_and_its_fields(error: EmostreamError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
