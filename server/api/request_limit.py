"""The time that is left to requests when the server stops."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..exceptions import BatcherClosedError
from .problems import problem_of, response_of


class RequestLimit:
    """When all requests in progress have to end: never, until the server stops. Belongs to one event loop."""

    def __init__(self) -> None:
        self._limits: set[asyncio.Timeout] = set()
        self._ends: float | None = None  # on the event loop's clock

    def end_at(self, when: float) -> None:
        """Requests in progress and later ones have until ``when``, on the event loop's clock."""
        self._ends = when
        for limit in self._limits:
            limit.reschedule(when)

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Has ``app`` answer a request. Raises BatcherClosedError once the time is up."""
        limit = asyncio.timeout_at(self._ends)
        self._limits.add(limit)
        try:
            async with limit:
                await app(scope, receive, send)
        except TimeoutError as error:
            if not limit.expired():
                raise  # the app's own
            raise BatcherClosedError("the server stops") from error
        finally:
            self._limits.discard(limit)


class AnswersInTime:
    """ASGI middleware: a request that is still in progress shortly before a stopping server cuts connections
    is answered 503, whatever it waits for: its own body, a thread, the engine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        limit: RequestLimit = scope["app"].state.services.request_limit
        try:
            await limit.run(self._app, scope, receive, send_and_note)
        except BatcherClosedError as error:
            if has_begun:
                raise  # half an answer cannot become another one
            await response_of(problem_of(error))(scope, receive, send)
