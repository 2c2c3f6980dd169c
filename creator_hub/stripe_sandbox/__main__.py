"""`python -m creator_hub.stripe_sandbox --port N`: start the sandbox; SIGTERM and Ctrl-C stop it cleanly."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

from creator_hub.settings import SANDBOX_CONNECT_WEBHOOK_SECRET, SANDBOX_SECRET_KEY, SANDBOX_WEBHOOK_SECRET
from creator_hub.stripe_sandbox.server import Options, started

DEFAULT_PORT = 8100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m creator_hub.stripe_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port on 127.0.0.1 ({DEFAULT_PORT})")
    parser.add_argument("--data", type=Path, help="folder of its database; without it nothing outlives the process")
    parser.add_argument("--webhook-url", help="where the platform's events are sent")
    parser.add_argument("--connect-webhook-url", help="where connected accounts' events are sent")
    parser.add_argument("--settlement-days", type=int, default=0, help="days until card money is available (0)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options = Options(given.data, given.webhook_url, given.connect_webhook_url, given.settlement_days)
    sandbox, server = started(options, given.port)
    signal.signal(signal.SIGTERM, _interrupt)
    log = logging.getLogger(__name__)
    log.info("Stripe sandbox on http://127.0.0.1:%d, key %s", server.port, SANDBOX_SECRET_KEY)
    for url, secret in (
        (given.webhook_url, SANDBOX_WEBHOOK_SECRET),
        (given.connect_webhook_url, SANDBOX_CONNECT_WEBHOOK_SECRET),
    ):
        if url:
            log.info("webhooks to %s, signed with %s", url, secret)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stderr.flush()
    finally:
        server.server_close()
        sandbox.close()


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
