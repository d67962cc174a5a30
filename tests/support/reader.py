"""`python -m tests.support.reader FILE STOP`: an analyst who asks the warehouse again and again until STOP exists.

Prints one JSON line a different answer: the release by its own account, net sales of the fact and of the cube.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

QUERY = """
    select
        (select max(release) from ops.release),
        (select sum(net_amount)::varchar from star.fct_sales_line),
        (select sum(net_sales)::varchar from cube.sales_base)
"""


def main(file: str, stop: Path) -> None:
    last, asked = None, 0
    while not stop.exists():
        with duckdb.connect(file, read_only=True) as con:
            answer = con.execute(QUERY).fetchone()
        asked += 1
        if answer != last:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            last = answer
    sys.stdout.write(json.dumps({"asked": asked}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
