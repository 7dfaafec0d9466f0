"""
The long run: `python -m tests.crash --minutes 10 --seed 1 --database sqlite`, or `make crash`.

First every place at which the service can die, at each of its passes, every write that can fail, a clock that is set in
each phase, and a long lock; then schedules by seed until the time is up. It prints each seed that breaks an invariant;
`--seed N --minutes 0 --no-places` plays that one again.
"""

import argparse
import asyncio
import sys
import time

from tests.crash.playing import Play, say
from tests.crash.rig import nursery


async def _main(options: argparse.Namespace) -> int:
    until_s = time.monotonic() + 60 * options.minutes
    with nursery() as home:
        play = Play(home, options.database)
        if options.places:
            for what in (play.all_places, play.all_writes, play.all_clocks, play.long_lock):
                await what()
                say(f"{what.__name__} over {options.database}: {play.totals}")
        last = await play.seeds(options.seed, until_s=until_s)
    say(f"seeds {options.seed} to {last} over {options.database}, all in all: {play.totals}")
    return 1 if play.totals.broken else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9 % 10**6 * 1000, help="The first seed.")
    parser.add_argument("--minutes", type=float, default=10.0, help="How long it takes, at least.")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--places", action=argparse.BooleanOptionalAction, default=True, help="Every place first.")
    sys.exit(asyncio.run(_main(parser.parse_args())))
