"""How long the pages of the dashboard take with 1,000 integrations and 1,000,000 interactions.

Fills a database of a server's own with SQL that both databases take, then asks for each page several
times over HTTP, as a browser does, and prints the medians. `run.py` calls it; alone:

    scripts/with-postgres python3 bench/dashboard.py target/release/cadre
"""

import http.cookiejar
import os
import pathlib
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

INTEGRATIONS = 1_000
INTERACTIONS = 1_000_000
ROUNDS = 7

FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {integrations})
INSERT INTO integrations (id, environment_id, tool, category, status, setup_status, qa_status, organization_name,
    scope_config_id, settings, secrets, data_key, drop_accepted, created_at, first_synced_at, sync_interval_ms)
SELECT 'tool' || CAST(i % 9 AS TEXT) || ':' || CAST(i AS TEXT), '{environment}', 'tool' || CAST(i % 9 AS TEXT), 'HRIS',
    CASE WHEN i % 10 = 0 THEN 'INVALID' ELSE 'ACTIVE' END, 'COMPLETED', 'PASSED', 'Customer ' || CAST(i AS TEXT), 'none',
    '{{}}', {empty}, {empty}, 0, {now} - i * 1000, {now} - 5000, 10800000 FROM n;

WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {integrations} * 30 - 1)
INSERT INTO runs (integration_id, id, kind, trigger_kind, state, counts, created_at, started_at, ended_at)
SELECT 'tool' || CAST((i / 30 + 1) % 9 AS TEXT) || ':' || CAST(i / 30 + 1 AS TEXT), 'r' || CAST(i AS TEXT), 'FULL', 'schedule',
    CASE i % 10 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'PARTIALLY_FAILED' ELSE 'SUCCEEDED' END, '{{}}',
    {now} - (i % 30) * 10800000, {now} - (i % 30) * 10800000, {now} - (i % 30) * 10800000 + 60000 FROM n;

WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {integrations} * 3 - 1)
INSERT INTO model_marks (integration_id, model, synced_at)
SELECT 'tool' || CAST((i / 3 + 1) % 9 AS TEXT) || ':' || CAST(i / 3 + 1 AS TEXT), 'model' || CAST(i % 3 AS TEXT),
    {now} - (i * 7919) % 86400000 FROM n;

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {interactions})
INSERT INTO interactions (environment_id, id, integration_id, kind, title, method, path, status, code, message, request,
    started_at, ended_at)
SELECT '{environment}', 'i' || CAST(i AS TEXT),
    'tool' || CAST((i % {integrations} + 1) % 9 AS TEXT) || ':' || CAST(i % {integrations} + 1 AS TEXT),
    CASE i % 10 WHEN 0 THEN 'sync' WHEN 1 THEN 'action' WHEN 2 THEN 'passthrough' WHEN 3 THEN 'webhook_out' ELSE 'api' END,
    'GET /v1/hris/employees', 'GET', '/v1/hris/employees', CASE WHEN i % 7 = 0 THEN 400 ELSE 200 END,
    CASE WHEN i % 7 = 0 THEN 'PLATFORM.INPUT_INVALID' WHEN i = 5 THEN 'ATS.JOB_CLOSED' END, 'words',
    '{{"query":"page_size=100"}}', {now} - i * 1209, {now} - i * 1209 + i % 2000 FROM n;
"""

PAGES = {
    "overview": "",
    "integrations": "/integrations",
    "integrations by words": "/integrations?q=customer+99",
    "integrations by state": "/integrations?state=failing",
    "an integration": "/integrations/tool1:1",
    "its syncs": "/integrations/tool1:1/syncs",
    "its settings": "/integrations/tool1:1/settings",
    "its mapping": "/integrations/tool1:1/mapping",
    "links": "/links",
    "scope configurations": "/scopes",
    "log": "/logs",
    "log by kind": "/logs?kind=sync",
    "log by a frequent code": "/logs?code=PLATFORM.INPUT_INVALID",
    "log by a code that is there once": "/logs?code=ATS.JOB_CLOSED",
    "log by a code that is not there": "/logs?code=HRIS.EMPLOYEE_ALREADY_EXISTS",
    "log of an integration": "/logs?integration=tool1:1",
    "failures of a week": "/logs?outcome=failed&period=7d",
    "environments": "/env",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url):
    for _ in range(300):
        try:
            return urllib.request.urlopen(url).read()
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def fill(database, folder):
    """Fills the tables; `database` is the URL of a PostgreSQL server, or nothing for SQLite."""
    values = {
        "integrations": INTEGRATIONS,
        "interactions": INTERACTIONS,
        "now": int(time.time() * 1000),
        "empty": "''::bytea" if database else "x''",
    }
    find = "SELECT id FROM environments WHERE slug = 'production'"
    if database:
        psql = ["psql", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", database]
        asked = subprocess.run([*psql, "--command", find], capture_output=True, text=True, check=True)
        script = FILL.format(environment=asked.stdout.strip(), **values) + "VACUUM ANALYZE;"
        subprocess.run(psql, input=script, text=True, check=True)
        return
    connection = sqlite3.connect(folder / "cadre.db")
    connection.execute("PRAGMA synchronous = OFF")
    environment = connection.execute(find).fetchone()[0]
    connection.executescript(FILL.format(environment=environment, **values))
    connection.close()


def serve(cadre, folder, database):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CADRE_")}
    environment |= {"CADRE_DATA_DIR": str(folder), "CADRE_CONCURRENT_SYNCS": "0", "CADRE_LOG": "warn"}
    if database:
        environment["CADRE_DATABASE_URL"] = database
    command = [str(cadre), "serve", "--listen", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/health")
    return server, port, environment


def measure(cadre, database=None):
    """The median time of each page in milliseconds."""
    medians = {}
    with tempfile.TemporaryDirectory(prefix="cadre-pages-") as work:
        folder = pathlib.Path(work)
        server, _, _ = serve(cadre, folder, database)
        server.terminate()
        server.wait()
        fill(database, folder)
        server, port, environment = serve(cadre, folder, database)
        try:
            link = subprocess.run([str(cadre), "login-link"], env=environment, capture_output=True, text=True, check=True)
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            base = f"http://127.0.0.1:{port}"
            browser.open(re.sub(r"^http://[^/]+", base, link.stdout.strip()) + "&next=/account").read()
            for name, path in PAGES.items():
                url = base + "/env/production" + ("/environments" if path == "/env" else path)
                times = []
                for _ in range(ROUNDS):
                    begun = time.perf_counter()
                    browser.open(url).read()
                    times.append((time.perf_counter() - begun) * 1000)
                medians[name] = round(statistics.median(times), 1)
        finally:
            server.terminate()
            server.wait()
    return medians


def report(cadre, database=None):
    where = "PostgreSQL" if database else "SQLite"
    print(f"\nPages of the dashboard on {where}: {INTEGRATIONS:,} integrations, {INTERACTIONS:,} interactions", flush=True)
    medians = measure(cadre, database)
    for name, milliseconds in medians.items():
        print(f"  {name:34} {milliseconds:7.1f} ms", flush=True)
    return medians


if __name__ == "__main__":
    report(sys.argv[1])
    if "CADRE_TEST_POSTGRES_URL" in os.environ:
        report(sys.argv[1], os.environ["CADRE_TEST_POSTGRES_URL"])
