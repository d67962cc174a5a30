"""`python -m benchmarks`: measure all, or the parts named, and write the report. Exits with 1 if a promise broke."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    baskets,
    cubes,
    customers,
    default_load,
    growth,
    modes,
    nights,
    report,
    serving,
    small_night,
    worth,
)
from benchmarks.context import Context, Part
from benchmarks.data import real_data, write_sample
from benchmarks.measure import PROJECT, BenchmarkError, machine, tell

PARTS: dict[str, Callable[[Context], Part]] = {
    "default": default_load.run,
    "small": small_night.run,
    "growth": growth.run,
    "nights": nights.run,
    "modes": modes.run,
    "cubes": cubes.run,
    "customers": customers.run,
    "worth": worth.run,
    "baskets": baskets.run,
    "serving": serving.run,
}
WITHIN = {"worth"}  # what `customers` measures, too


def main() -> int:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=options.work))
    results: dict[str, dict[str, Any]] = {}
    try:
        context = Context(
            work=work,
            data=write_sample(real_data(), work / "sample") if options.sample else real_data(),
            floor=_floor(),
            repeat=options.repeat,
            sizes=options.sizes,
            nights=options.nights,
        )
        for name in options.parts or [name for name in PARTS if name not in WITHIN]:
            found = PARTS[name](context)
            results[name] = found.as_record() | {"machine": machine(work), "repeat": options.repeat}
            if not options.sample:
                report.write(Path(__file__).parent, results)
    except BenchmarkError as error:
        tell(f"stopped: {error}")
        return 2
    finally:
        shutil.rmtree(work)
    print(report.render(results))
    return 0 if all(bound["held"] for part in results.values() for bound in part["bounds"]) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--repeat", type=int, default=3, help="how often each measured thing is run")
    parser.add_argument(
        "--sizes", type=_numbers, default=(), help="copies of the data in `growth`, `cubes`, `customers`, e.g. 1,10,50"
    )
    parser.add_argument("--nights", type=_numbers, default=Context.nights, help="nights of `nights`, e.g. 30,365,1500")
    parser.add_argument("--sample", action="store_true", help="a twentieth of the data, to try it; writes no report")
    parser.add_argument(
        "--work",
        type=Path,
        default=PROJECT / "data",
        help="folder for homes and data (removed at the end), on the disk to be measured",
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    if not 1 <= options.repeat <= 6:
        parser.error("--repeat goes from 1 to 6: the measured nights lie within one week")
    if min(options.nights) <= nights.REAL_LOADS:
        parser.error(f"--nights must be more than {nights.REAL_LOADS}")
    return options


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _floor() -> Path | None:
    folder = Path(os.environ.get("BENCH_FLOOR") or PROJECT.parent / "shared" / "bench")
    return folder.resolve() if (folder / "floor.py").exists() else None


if __name__ == "__main__":
    sys.exit(main())
