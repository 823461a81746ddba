"""When a client comes back to its server: ``reconnect.json`` is the rule.

The dashboard (``web/src/stream/backoff.ts``) reads the same file, and a test holds docs/protocol.md to it.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

from .wire import CloseCode

_RULE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

#: Close codes after which every client comes back, and those that are an answer for good.
RETRY_CLOSE_CODES: frozenset[int] = frozenset(_RULE["retry_close_codes"])
FINAL_CLOSE_CODES: frozenset[int] = frozenset(_RULE["final_close_codes"])

#: After these the Python client comes back, too. A server closes an idle session with 1000, and some proxies
#: close an idle connection without a code. Who looks at the page can start anew; a program with a slow source
#: (an image an hour) can't, and it never asks for the end of a session that it still sends to.
IDLE_CLOSE_CODES = frozenset({CloseCode.NORMAL, CloseCode.NO_STATUS})

#: HTTP statuses instead of a handshake: of a proxy whose server is away for a while, or of a busy one.
#: Browsers hide them.
RETRY_HTTP_STATUSES: frozenset[int] = frozenset(_RULE["retry_http_statuses"])


def delay_s(failures: int, random_between: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait after ``failures`` failed attempts in a row: 0.5 to 1 at first, then ×1.6, up to 10.

    The random part keeps the clients of a restarted server from coming back all at once.
    """
    # The exponent is bounded: a client may try for days, and floats end at 1e308.
    delay = _RULE["first_delay_s"] * _RULE["delay_factor"] ** min(failures, 100)
    return float(min(delay, _RULE["longest_delay_s"])) * random_between(1 - _RULE["jitter"], 1.0)
