"""Run by Superset's own Python: its metadata, its administrator, and the bundle of databases, datasets and dashboards.

    python prepare.py < TOLD

TOLD is JSON: `files` (name -> YAML), `passwords` (the file of a database -> its password), `admin_password`. It comes
by standard input, which nobody else sees.
"""

import json
import sys
from typing import Any

from flask import g
from flask_migrate import upgrade
from superset.app import create_app

ADMIN = "admin"


def main(told: dict[str, Any]) -> None:
    with create_app().app_context():
        from superset.commands.exceptions import CommandInvalidError, ImportFailedError
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.extensions import appbuilder, security_manager

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        password = told["admin_password"]
        known = security_manager.find_user(ADMIN)
        if known is None:
            role = security_manager.find_role("Admin")
            known = security_manager.add_user(ADMIN, "Clientele", "Admin", "admin@localhost", role, password=password)
        else:
            security_manager.reset_password(known.id, password)
        g.user = security_manager.find_user(ADMIN)
        try:
            ImportAssetsCommand(told["files"], passwords=told["passwords"]).run()
        except CommandInvalidError as error:
            sys.exit(f"{error}: {error.normalized_messages()}")
        except ImportFailedError as error:
            sys.exit(f"{error}: {error.__cause__}")


if __name__ == "__main__":
    main(json.load(sys.stdin))
