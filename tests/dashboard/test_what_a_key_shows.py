"""Who may not do something sees no button for it, and no link to it: on every page."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import pytest
from test_all_pages import LOOKED_AT, DemoServer, addresses

from tasker.callers import Role
from tasker.dashboard.routes import Routes
from tasker.dashboard.screens.all import PAGES
from tasker.testing.server import TaskerServer

KEYS = {Role.READ: "viewer-key-0123456789", Role.WRITE: "writer-key-0123456789", Role.ADMIN: "owner-key-0123456789"}
ROUTES = Routes(PAGES)


class KeyedServer(TaskerServer):
    """Calls it with the key of its owner."""

    def call(self, method, path, body=None, *, headers=None):
        return super().call(method, path, body, headers={"authorization": f"Bearer {KEYS[Role.ADMIN]}"})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with something of everything, which asks for keys."""
    folder = tmp_path_factory.mktemp("server")
    with DemoServer(folder) as demo:
        demo.stop()
    keys = folder / "keys"
    keys.write_text("".join(f"{key} {role.value}\n" for role, key in KEYS.items()))
    keys.chmod(0o600)
    with KeyedServer(folder, "--paused", "--api-keys-file", str(keys)) as started:
        yield started


class Ways(HTMLParser):
    """What a page sends forms to, and leads to: methods and paths behind ``/ui``."""

    def __init__(self, text):
        super().__init__()
        self.found = set()
        self._method = "GET"
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "form":
            self._method = said.get("method", "get").upper()
        for name, method in (("href", "GET"), ("action", self._method), ("formaction", self._method)):
            path = unquote(urlsplit(said.get(name) or "").path)
            if path.startswith("/ui/") and tag not in ("link", "script"):
                self.found.add((method, path.removeprefix("/ui")))


def seen(server, role):
    """All pages that somebody with a role may see, each with its address and its text."""
    for path in LOOKED_AT:
        if not ROUTES.has("GET", path) or ROUTES.find("GET", path).page.scope not in role.scopes or path == "/live":
            continue
        for address in addresses(server, path):
            request = Request(server.url + address, headers={"authorization": f"Bearer {KEYS[role]}"})
            with urlopen(request, timeout=30) as answer:
                if answer.headers.get_content_type() == "text/html":
                    yield address, answer.read().decode()


@pytest.mark.parametrize("role", KEYS)
def test_nothing_is_offered_that_would_be_refused(server, role):
    offered, refused = set(), set()
    for address, text in seen(server, role):
        for method, path in Ways(text).found:
            if ROUTES.has(method, path):
                page = ROUTES.find(method, path).page
                offered.add((method, page.path))
                if page.scope not in role.scopes:
                    refused.add((address, method, page.path))

    assert refused == set()
    assert (("POST", "/everything/resume") in offered) is (role is not Role.READ)
    assert (("GET", "/audit") in offered) is (role is Role.ADMIN)
    if role is Role.READ:
        assert {path for method, path in offered if method == "POST"} == {"/sign-in", "/sign-out", "/theme"}
