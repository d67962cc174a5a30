"""Runs a command and writes its wall seconds, CPU seconds and peak memory, as the kernel counted them.

usage: python -I -S timed.py RESULT.json COMMAND...

A process of its own, because a child's peak memory includes what its parent held when it was started: this
one holds 10 MB, the benchmarks' own process up to gigabytes while it writes data.
"""

import json
import os
import pathlib
import sys
import time

result, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
started = time.perf_counter()
child = os.posix_spawn(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
figures = {
    "wall": time.perf_counter() - started,
    "cpu": usage.ru_utime + usage.ru_stime,
    "peak_mb": usage.ru_maxrss * 1024 / 1e6,  # Linux counts in KiB
}
result.write_text(json.dumps(figures), encoding="utf-8")
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
