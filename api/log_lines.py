"""What a server says while it runs: JSON lines on standard error, for whoever keeps the logs."""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=str).encode


def start_logging(level: str, *, worker: int = 0) -> None:
    """From now on lines of `level` or above; `worker` (0: the only process, or the parent of several) stands in each.

    uvicorn's own access lines are off, because they would show addresses.
    """

    def named(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        del logger, method
        event["worker"] = worker
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            *([named] if worker else []),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: _encode(event)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, logging.INFO)),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
