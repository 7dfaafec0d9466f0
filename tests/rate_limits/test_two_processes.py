"""
Two API processes over one database and one Redis.
"""

import asyncio
from pathlib import Path

import pytest

import outdial
from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from tests.library.setting_up import furnish, in_file
from tests.rate_limits.redis_server import RedisServer

pytestmark = pytest.mark.redis


def test_processes_share_a_keys_minute_and_serve_on_without_redis(redis: RedisServer, tmp_path: Path) -> None:
    """
    Together they let one quota pass; when Redis dies each has its own, and readiness tells, without ceasing.
    """
    settings = in_file(tmp_path, rate_limit_storage=redis.url)

    async def scenario() -> None:
        async with outdial.open(settings, dials=False) as one, outdial.open(settings, dials=False) as other:
            clinic = await furnish(one)
            _key, text = await one.administration.create_key(
                clinic.account_id, ["can_read_calls"], requests_per_minute=4
            )
            clients = [dialer.client(api_key=text) for dialer in (one, other)]

            together = [await client.calls.show(None) for _ in range(3) for client in clients]
            before = await one.readiness()
            redis.stop()
            alone = [await client.calls.show(None) for _ in range(5) for client in clients]
            after = await one.readiness()

        assert 4 == together.count(Refused(reason=Reason.NOT_FOUND))
        assert 8 == alone.count(Refused(reason=Reason.NOT_FOUND))
        assert (True, "ready") == (before.is_ready, before.checks["rate_limits"])
        assert (True, "ready") == (after.is_ready, after.checks["database"])
        assert after.checks["rate_limits"].startswith("Redis does not answer")

    asyncio.run(scenario())
