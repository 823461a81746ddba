import pytest
from emostream.api.admission import Admission
from emostream.exceptions import OverloadedError, ProblemError

from tests.support import jpeg, png_header

#: 1,000 pixels.
IMAGE = jpeg(50, 20)


def new_admission(**limits: int) -> Admission:
    """For two requests, of 2,000 pixels each, and 3,000 pixels a client."""
    defaults = {
        "max_requests": 2,
        "max_upload_bytes": 50,
        "max_image_pixels": 1_000_000,
        "max_request_pixels": 2_000,
        "max_client_pixels": 3_000,
    }
    return Admission(**defaults | limits)


async def test_no_more_requests_than_allowed_are_let_in_and_those_that_end_make_room() -> None:
    admission = new_admission()
    async with admission.working("a", []):
        async with admission.working("b", []):
            with pytest.raises(OverloadedError, match="2 requests"):
                async with admission.working("c", []):
                    pass
        async with admission.working("c", []):
            pass


async def test_one_request_may_have_so_many_pixels_and_no_more() -> None:
    admission = new_admission(max_requests=1)
    async with admission.working("a", [IMAGE, IMAGE]):
        pass

    with pytest.raises(ProblemError) as caught:
        async with admission.working("a", [IMAGE, IMAGE, IMAGE]):
            pass

    assert (caught.value.status, caught.value.code) == (413, "too_many_pixels")
    async with admission.working("a", [IMAGE]):  # the refused one has left no trace
        pass


async def test_one_client_may_have_so_many_pixels_in_flight_and_others_are_let_in() -> None:
    admission = new_admission(max_requests=9)
    async with admission.working("a", [IMAGE, IMAGE]), admission.working("a", [IMAGE]):
        with pytest.raises(OverloadedError, match="pixels"):
            async with admission.working("a", [IMAGE]):
                pass
        async with admission.working("b", [IMAGE, IMAGE]):
            pass

    async with admission.working("a", [IMAGE, IMAGE]):
        pass


async def test_a_client_with_nothing_in_flight_is_let_in_whatever_its_image() -> None:
    async with new_admission(max_client_pixels=1).working("a", [IMAGE, IMAGE]):
        pass


async def test_images_that_are_refused_by_their_headers_have_no_pixels() -> None:
    async with new_admission().working("a", [IMAGE, b"no image", b"", png_header(5000, 5000)]):
        pass


async def test_bodies_on_their_way_take_no_place_among_the_requests() -> None:
    admission = new_admission(max_requests=1)
    with admission.receiving("a"), admission.receiving("a"):
        async with admission.working("b", [IMAGE]):
            pass


def test_bodies_on_their_way_are_bounded_for_each_client_and_in_all() -> None:
    admission = new_admission(max_requests=1)

    def receive(*clients: str) -> None:
        if clients:
            with admission.receiving(clients[0]):
                receive(*clients[1:])

    receive(*"aaaabbbbccccdddd")
    with pytest.raises(OverloadedError):
        receive(*"aaaaa")
    with pytest.raises(OverloadedError):
        receive(*"aaaabbbbccccdddd", "e")
    receive(*"aaaabbbbccccdddd")


def test_the_bytes_of_all_bodies_on_their_way_are_bounded_together() -> None:
    admission = new_admission()
    with admission.receiving("a") as first:
        first.count(60)
        with admission.receiving("b") as second:
            second.count(40)
            with pytest.raises(OverloadedError, match="bytes"):
                second.count(1)
        with admission.receiving("b") as second:
            second.count(40)
