import pytest
from emostream.api.accept import preferred_format
from emostream.api.problems import ProblemError


@pytest.mark.parametrize(
    ("accept", "picture_format"),
    [
        ("", "JPEG"),
        ("*/*", "JPEG"),
        ("image/*", "JPEG"),
        ("image/png", "PNG"),
        ("IMAGE/PNG", "PNG"),
        ("image/jpeg, image/png", "JPEG"),
        ("image/jpeg;q=0.5, image/png", "PNG"),
        ("image/avif,image/webp,image/png,*/*;q=0.8", "PNG"),
        ("image/png, */*", "PNG"),
        ("image/jpeg;q=0, */*", "PNG"),
        ("image/png;q=nonsense", "PNG"),
        ("text/html, image/*;q=0.2", "JPEG"),
    ],
)
def test_the_format_that_the_client_likes_best(accept: str, picture_format: str) -> None:
    assert preferred_format(accept) == picture_format


@pytest.mark.parametrize("accept", ["text/html", "image/webp", "image/*;q=0", ";", "image/png;q=0"])
def test_neither_format_will_do(accept: str) -> None:
    with pytest.raises(ProblemError) as caught:
        preferred_format(accept)

    assert (caught.value.status, caught.value.code) == (406, "not_acceptable")
