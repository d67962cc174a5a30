"""`python -m dagster_project.contract`: write what is generated from sources/contract.yml."""

from __future__ import annotations

import sys

from dagster_project.contract.contract import read_contract
from dagster_project.contract.generate import write
from dagster_project.errors import ClienteleError
from dagster_project.settings import PROJECT


def main() -> int:
    try:
        changed = write(read_contract(), PROJECT)
    except ClienteleError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write("".join(f"{path.relative_to(PROJECT)}\n" for path in changed) or "nothing changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
