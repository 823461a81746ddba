from pathlib import Path

import pytest
from emostream.app import create_app
from emostream.exceptions import UnknownModelError
from emostream.settings import Settings

from tests.servers import server_thread
from tests.support import FakeRecognizer


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]


def test_making_an_app_loads_no_model_and_makes_no_folder(tmp_path: Path) -> None:
    app = create_app(settings(model="nonsense", cache_dir=tmp_path / "cache"))

    assert not hasattr(app.state, "services")
    assert not (tmp_path / "cache").exists()


async def test_an_app_that_cannot_load_its_model_does_not_start() -> None:
    app = create_app(settings(model="nonsense"))

    with pytest.raises(UnknownModelError, match="nonsense"):
        async with app.router.lifespan_context(app):
            pass


async def test_an_app_opens_its_rooms_when_it_starts_and_closes_them_when_it_ends() -> None:
    recognizer = FakeRecognizer()
    recognizer.open()
    app = create_app(settings(), recognizer)  # type: ignore[arg-type]

    async with app.router.lifespan_context(app):
        services = app.state.services
        assert services.model.name == recognizer.name
        answer = await services.batcher.open_lane().recognize([b"x"])
        assert answer.batch_size == 1
        assert not services.sessions.is_draining
    assert services.sessions.is_draining


def test_two_servers_in_one_process_do_not_get_into_each_others_way() -> None:
    with server_thread() as one, server_thread() as other:
        assert one.services is not other.services
        assert one.port != other.port
