"""An independent identity provider: `python -I peer_oidc.py PACKAGES FOLDER RETURN_URL`, a process of its own.

Django OAuth Toolkit (BSD licence) on oauthlib and jwcrypto; it demands PKCE. One person is signed in already, so that a
browser is not needed. Prints one line of JSON when it serves, and ends with its standard input.
"""

import json
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, sys.argv[1])

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from django.utils import timezone

FOLDER, RETURN_URL = Path(sys.argv[2]), sys.argv[3]
SECRET = "a secret+with/signs"


def signed_in(get_response):
    """Whoever comes is the one person there is."""

    def middleware(request):
        from django.contrib.auth.models import User  # noqa: PLC0415  # once Django is set up

        request.user = User.objects.get()
        return get_response(request)

    return middleware


class Server(ThreadingMixIn, WSGIServer):
    """One thread per call: the token endpoint is asked while a browser waits."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, *_arguments):
        """Say nothing."""


def main() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        SECRET_KEY="of this process only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "peer.sqlite3")}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
        MIDDLEWARE=[f"{__name__}.signed_in"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Who somebody is"},
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User  # noqa: PLC0415  # as above
    from oauth2_provider.models import Application  # noqa: PLC0415  # as above

    User.objects.create(username="an", last_login=timezone.now())
    Application.objects.create(
        client_id="sluis",
        client_secret=SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=RETURN_URL,
        algorithm="RS256",
        skip_authorization=True,
    )
    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Server, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"issuer": f"http://127.0.0.1:{server.server_port}/o", "secret": SECRET}), flush=True)
    sys.stdin.read()


def __getattr__(name):
    """The routes, which can be read only once Django is set up."""
    if name != "urlpatterns":
        raise AttributeError(name)
    return [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]


if __name__ == "__main__":
    main()
