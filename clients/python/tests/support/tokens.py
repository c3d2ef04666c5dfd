"""Tokens for servers that want them."""

import base64
import hashlib
import hmac
import json
import time

SECRET = "a secret of tests that is long enough for HS256"


def token(scope: str) -> str:
    """A JWT (RFC 7519) that is good for ten minutes."""
    claims = {"sub": "trainer", "scope": scope, "exp": int(time.time()) + 600}
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{_base64(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
