"""Wrong tokens: counted, logged with the client's address, and answered with a delay."""

import asyncio
import logging
import time
from collections import OrderedDict

from ..addresses import network_of
from ..streaming.session import RateLimiter
from .metrics import Metrics

logger = logging.getLogger(__name__)

#: Wrong tokens of one address that are answered at once: rate per second, and burst. Others are delayed, each
#: in one of the address's connections, which are limited, too. An address is never locked out: behind a
#: proxy or a router it may be that of many people, and one of them could lock out the others.
_PER_SECOND = 0.2
_BURST = 10
_MAX_ADDRESSES = 4096


class FailedTokens:
    """Remembers the addresses that sent wrong tokens last."""

    def __init__(self, metrics: Metrics, penalty_s: float = 1.0) -> None:
        self._metrics = metrics
        self._penalty_s = penalty_s
        self._addresses: OrderedDict[str, RateLimiter] = OrderedDict()

    async def notice(self, host: str, is_guess: bool) -> None:
        """To be called before a client at ``host`` is refused for a wrong or missing token."""
        self._metrics.refused_tokens.labels("wrong" if is_guess else "missing").inc()
        if not is_guess:
            return  # a missing token is no guess
        limiter = self._addresses.setdefault(network := network_of(host), RateLimiter(_PER_SECOND, _BURST))
        self._addresses.move_to_end(network)
        if len(self._addresses) > _MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        if limiter.allows(time.monotonic()):
            logger.warning("a client at %s gave a wrong token", host)
        else:  # guesses must not fill the log
            await asyncio.sleep(self._penalty_s)
