import json
import logging

import pytest
from emostream.api.problems import problem_of, problem_responses, response_of
from emostream.exceptions import (
    BatcherClosedError,
    DetectorError,
    ImageTooLargeError,
    InvalidImageError,
    NoReplicaError,
    OverloadedError,
    ProblemError,
)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidImageError("x", "empty"), 422, "empty_image"),
        (InvalidImageError("x", "unknown"), 422, "not_an_image"),
        (InvalidImageError("x", "unsupported"), 415, "unsupported_type"),
        (InvalidImageError("x"), 422, "truncated_image"),
        (ImageTooLargeError(5, "x"), 413, "image_too_large"),
        (DetectorError("x"), 503, "detector_unavailable"),
        (OverloadedError("x"), 503, "overloaded"),
        (NoReplicaError("x"), 503, "engine_unavailable"),
        (BatcherClosedError("x"), 503, "shutting_down"),
        (ProblemError(418, "teapot", "x"), 418, "teapot"),
    ],
)
def test_every_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)


def test_a_document_is_what_the_standard_asks_for_and_keeps_fastapis_detail() -> None:
    response = response_of(ProblemError(422, "no_face", "No face detected", {"X-Header": "y"}))

    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-header"] == "y"
    assert json.loads(bytes(response.body)) == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "no_face",
        "detail": "No face detected",
    }


def test_an_unforeseen_error_is_logged_and_says_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_of(ZeroDivisionError("secret"))

    assert (problem.status, problem.code) == (500, "internal_error")
    assert "secret" not in str(problem.detail)
    assert "secret" in caplog.text


def test_overload_says_when_to_come_again() -> None:
    assert problem_of(OverloadedError("x")).headers == {"Retry-After": "1"}


def test_a_routes_problems_are_documented_by_status() -> None:
    documented = problem_responses(413, 503)

    assert list(documented) == [413, 503]
    schema = documented[413]["content"]["application/problem+json"]["schema"]
    assert set(schema["required"]) == {"title", "status", "code", "detail"}
