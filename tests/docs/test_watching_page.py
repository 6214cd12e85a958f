"""What the page on watching tasker has people type."""

import re
import shlex
import subprocess

from pages import DOCS, blocks

from tasker.api.metrics.table import METRICS
from tasker.testing.server import TaskerServer

PAGE = DOCS / "watching.md"


def test_the_metrics_are_where_the_page_reads_them(tmp_path):
    serve, read, check = [text.strip() for language, text in blocks(PAGE) if language == "sh"]
    command, *options = shlex.split(serve)
    assert command == "tasker"
    (address,) = re.findall(r"http://([^/]+)/metrics", read)
    assert options == ["--metrics-listen", address]
    with TaskerServer(tmp_path, "--metrics-listen", "127.0.0.1:0") as server:
        (port,) = re.findall(r"127\.0\.0\.1:(\d+)/metrics", server.log.read_text())
        done = subprocess.run(
            ["bash", "-c", f"{read} --silent --fail".replace(address, f"127.0.0.1:{port}")],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    for metric in METRICS:
        if not metric.absent and metric.name != "tasker_requests_refused_total":
            assert f"# TYPE {metric.name} {metric.kind}\n" in done.stdout
    # What is checked there is checked by tests/deploy.
    assert check.splitlines() == ["promtool check rules alerts.yml", "promtool test rules alerts.test.yml"]
