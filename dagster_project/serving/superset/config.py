"""Superset's configuration, read by Superset in its own environment; `clientele superset` sets what it reads."""

import os

SECRET_KEY = os.environ["CLIENTELE_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["CLIENTELE_SUPERSET_METADATA"]
APP_NAME = "Clientele"
ROW_LIMIT = 10_000
# A chart shows what is served now: answers are not kept, and each query opens a connection of its own.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
WTF_CSRF_ENABLED = True
SESSION_COOKIE_SAMESITE = "Lax"
PREVENT_UNSAFE_DB_CONNECTIONS = True
# Passwords can't be guessed at leisure.
RATELIMIT_ENABLED = True
RATELIMIT_STORAGE_URI = "memory://"
RATELIMIT_APPLICATION = "1000 per second"
# Superset's own policy names hosts of maps and of a counter of its users: nothing here leaves the machine.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
