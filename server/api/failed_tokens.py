"""Clients that guess tokens: counted, named in the log by their address, and made to wait."""

import asyncio
import logging
import time
from collections import OrderedDict

from ..addresses import network_of
from ..streaming.session import RateLimiter
from .metrics import Metrics

logger = logging.getLogger(__name__)

#: Of one address: so many a second, with so many saved up, are answered at once. Others wait, each of them in
#: one of the address's connections, which are bounded, too. Nobody is locked out: behind a proxy or a router
#: an address may be many people's, and one of them could lock out the others.
_PER_SECOND = 0.2
_BURST = 10
_MAX_ADDRESSES = 4096


class FailedTokens:
    """Remembers the addresses that guessed last."""

    def __init__(self, metrics: Metrics, penalty_s: float = 1.0) -> None:
        self._metrics = metrics
        self._penalty_s = penalty_s
        self._addresses: OrderedDict[str, RateLimiter] = OrderedDict()

    async def notice(self, host: str, is_guess: bool) -> None:
        """To be called before a client at ``host`` is told that its token is wrong, or that it gave none."""
        self._metrics.refused_tokens.labels("wrong" if is_guess else "missing").inc()
        if not is_guess:
            return  # who gives none learns nothing
        limiter = self._addresses.setdefault(network := network_of(host), RateLimiter(_PER_SECOND, _BURST))
        self._addresses.move_to_end(network)
        if len(self._addresses) > _MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        if limiter.allows(time.monotonic()):
            logger.warning("a client at %s gave a wrong token", host)
        else:  # the log is not filled by them
            await asyncio.sleep(self._penalty_s)
