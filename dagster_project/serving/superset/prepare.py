"""Run by Superset's own Python: its metadata, its administrator, and the bundle of databases, datasets and dashboards.

    python prepare.py FOLDER < PASSWORDS

FOLDER holds Superset's YAML files; PASSWORDS is JSON: the file of a database -> its password. They come by standard
input, which nobody else sees.
"""

import json
import os
import sys
from pathlib import Path

from flask import g
from flask_migrate import upgrade
from superset.app import create_app

ADMIN = "admin"


def main(bundle: Path) -> None:
    files = {str(path.relative_to(bundle)): path.read_text(encoding="utf-8") for path in sorted(bundle.rglob("*.yaml"))}
    passwords = json.load(sys.stdin)
    with create_app().app_context():
        from superset.commands.exceptions import CommandInvalidError, ImportFailedError
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.extensions import appbuilder, security_manager

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        password = os.environ["CLIENTELE_SUPERSET_PASSWORD"]
        known = security_manager.find_user(ADMIN)
        if known is None:
            role = security_manager.find_role("Admin")
            known = security_manager.add_user(ADMIN, "Clientele", "Admin", "admin@localhost", role, password=password)
        else:
            security_manager.reset_password(known.id, password)
        g.user = security_manager.find_user(ADMIN)
        try:
            ImportAssetsCommand(files, passwords=passwords).run()
        except CommandInvalidError as error:
            sys.exit(f"{error}: {error.normalized_messages()}")
        except ImportFailedError as error:
            sys.exit(f"{error}: {error.__cause__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
