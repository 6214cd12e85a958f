"""nginx and Caddy with the files of ``deploy/``, on free ports of this machine, as ordinary processes."""

import os
import re
import shutil
import ssl
import subprocess
from http.client import HTTPSConnection
from pathlib import Path

from polling import until
from ports import free_port

DEPLOY = Path(__file__).parents[1] / "deploy"
NAME = "tasks.example.org"


def replaced(text, *pairs):
    """Replace each text by another; fail if one is not there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


class FrontProxy:
    """A proxy in front of the server at *upstream*, at ``url`` and, below ``/tasker``, at a path of the same site."""

    binary = ""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.plain_port = None
        """Where it sends browsers to https, if the files of ``deploy/`` say so."""
        self.upstream = ""
        self.process = None
        self.config = 0
        """Each reload has another one: answers show its number."""

    @classmethod
    def is_here(cls):
        return shutil.which(cls.binary) is not None

    def start(self, upstream):
        self.upstream = upstream
        self.write()
        with (self.folder / "printed.txt").open("ab") as printed:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=self.environment(), stdout=printed, stderr=printed
            )
        until(self.answers, f"{self.binary} answers: {self.printed()}", seconds=30)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def printed(self):
        return (self.folder / "printed.txt").read_text()

    def answers(self):
        assert self.process.poll() is None, self.printed()
        if not self.authority.exists():
            return False
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def trusting(self):
        return ssl.create_default_context(cafile=str(self.authority))

    def connection(self, source="127.0.0.1"):
        """Return a connection that comes from an address."""
        return HTTPSConnection("localhost", self.port, timeout=40, context=self.trusting(), source_address=(source, 0))

    def ask(self, method, path, body=None, headers=None, *, connection=None):
        """Return the status, the headers and the bytes of an answer; on a connection of its own, if none is given."""
        there = connection or self.connection()
        try:
            there.request(method, path, body, headers or {})
            answer = there.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            if connection is None:
                there.close()

    def reload(self):
        """Read its files anew, which have another number. Returns when it was told to."""
        self.config += 1
        self.write()
        subprocess.run(
            self.reloading(), cwd=self.folder, env=self.environment(), check=True, capture_output=True, timeout=30
        )

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}


class Nginx(FrontProxy):
    binary = "nginx"

    def __init__(self, folder):
        super().__init__(folder)
        self.plain_port = free_port()
        self.authority = folder / "certificate.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", "certificate.key", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost"),
            ],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip

    def write(self):
        site = re.sub(r" +listen \[::\].*\n", "", (DEPLOY / "nginx" / "tasker.conf").read_text())
        site = replaced(
            site,
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            (NAME, "localhost"),
            ("/etc/letsencrypt/live/localhost/fullchain.pem", f"{self.folder}/certificate.pem"),
            ("/etc/letsencrypt/live/localhost/privkey.pem", f"{self.folder}/certificate.key"),
            ("127.0.0.1:8080", self.upstream),
            ("    location / {", "    include under-a-path.conf;\n\n    location / {"),
        )
        (self.folder / "tasker.conf").write_text(site)
        path = (DEPLOY / "nginx" / "under-a-path.conf").read_text()
        (self.folder / "under-a-path.conf").write_text(replaced(path, ("127.0.0.1:8080", self.upstream)))
        whole = (
            # One process: with two, how many connections are kept depends on which of them answers.
            "daemon off; worker_processes 1; pid nginx.pid; error_log stderr notice; events { }\n"
            "http {\n    access_log off; client_body_temp_path body; proxy_temp_path proxy;\n"
            "    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
            f"    add_header x-config {self.config} always;\n"
            "    include tasker.conf;\n}\n"
        )
        (self.folder / "nginx.conf").write_text(("user root;\n" if os.geteuid() == 0 else "") + whole)

    def command(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]

    def reloading(self):
        return [*self.command(), "-s", "reload"]


class Caddy(FrontProxy):
    binary = "caddy"

    def __init__(self, folder):
        super().__init__(folder)
        self.admin = f"localhost:{free_port()}"
        self.authority = folder / "kept" / "pki" / "authorities" / "local" / "root.crt"

    def site(self):
        """The sites that it serves."""
        site = (DEPLOY / "caddy" / "Caddyfile").read_text()
        path = (DEPLOY / "caddy" / "under-a-path.Caddyfile").read_text()
        return replaced(
            site,
            (f"{NAME} {{", f"{self.url} {{\n\tbind 127.0.0.1\n\theader x-config {self.config}\n{path}"),
            ("127.0.0.1:8080", self.upstream),
        )

    def write(self):
        around = (
            f"{{\n\tadmin {self.admin}\n\tlocal_certs\n\tskip_install_trust\n"
            f"\tauto_https disable_redirects\n\tstorage file_system {self.folder}/kept\n"
            "\tservers {\n\t\tprotocols h1 h2\n\t}\n}\n"
        )
        (self.folder / "Caddyfile").write_text(around + self.site())

    def command(self):
        return ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]

    def reloading(self):
        return [
            "caddy",
            "reload",
            "--config",
            "Caddyfile",
            "--adapter",
            "caddyfile",
            "--address",
            self.admin,
            "--force",
        ]


PROXIES = [Nginx, Caddy]
