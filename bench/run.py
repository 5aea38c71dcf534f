"""What `make bench` runs: the same work done by Cadre and its peers, in turn, within one run.

Writes nothing outside of a temporary folder. `scripts/bench` builds and installs what it needs.
Every figure is a wall-clock time of whole processes, from their start to their end; the order of the
rounds is A B C, A B C, …, so that a slow minute of the machine falls on all of them.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import duckdb
import yaml

import dashboard

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RELEASE = ROOT / "target" / "release"
PEERS = pathlib.Path(sys.executable).parent
EMPLOYEES = 20_000

# What the tests are told is no configuration of a server, and would be refused as such.
TOLD = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("CADRE_TEST_")}


class Vendor:
    """The paginated vendor, as a process of its own."""

    def __init__(self, delay_ms, employees=EMPLOYEES):
        command = [RELEASE / "paged-vendor", "--employees", str(employees), "--delay-ms", str(delay_ms)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def run(command, **more):
    """Runs a command to its end; what it printed. A failure ends the benchmark with its words."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def timed(command, **more):
    start = time.perf_counter()
    output = run(command, **more)
    return time.perf_counter() - start, output


# --- Cadre -------------------------------------------------------------------------------------


def environment(folder, database_url=None):
    settings = {
        "CADRE_DATA_DIR": str(folder),
        "CADRE_CONNECTORS_DIR": str(HERE / "connectors"),
        "CADRE_ALLOW_PRIVATE_NETWORKS": "true",
        "CADRE_REQUESTS_PER_MINUTE_PER_KEY": "4000000000",
        "CADRE_REQUESTS_PER_MINUTE_PER_ENVIRONMENT": "4000000000",
    }
    if database_url:
        settings["CADRE_DATABASE_URL"] = database_url
    return {**os.environ, **settings}


def link(env, url, tool="benchhr"):
    """Links an account in a fresh data folder; its id."""
    create = [RELEASE / "cadre", "integration", "create", "--no-check", "--tool", tool, "--field", f"base_url={url}"]
    return run(create, env=env).split()[0]


def count_records(env, integration):
    """How many employees the database holds, asked of the database itself."""
    query = "SELECT COUNT(*) FROM records WHERE model = 'hris_employees'"
    if url := env.get("CADRE_DATABASE_URL"):
        return int(run(["psql", "-qtA", url, "-c", query]))
    with contextlib.closing(sqlite3.connect(next(pathlib.Path(env["CADRE_DATA_DIR"]).glob("*.db")))) as database:
        return database.execute(query).fetchone()[0]


def cadre(vendor, folder, database_url=None, again=False):
    env = environment(folder, database_url)
    integration = link(env, vendor.url)
    sync = [RELEASE / "cadre", "integration", "sync", integration]
    seconds, output = timed(sync, env=env)
    if "SUCCEEDED" not in output.upper():
        sys.exit(f"the sync did not succeed: {output}")
    return seconds, count_records(env, integration)


def cadre_sqlite(vendor, folder):
    return cadre(vendor, folder)


def cadre_postgres(vendor, folder):
    server = TOLD["CADRE_TEST_POSTGRES_URL"]
    name = f"bench_{time.monotonic_ns()}"
    run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"])
    try:
        return cadre(vendor, folder, server.rsplit("/", 1)[0] + "/" + name)
    finally:
        run(["psql", "-q", server, "-c", f"DROP DATABASE {name}"])


@contextlib.contextmanager
def databases(of):
    """A fresh database of the kind, and its URL; `None` is SQLite in the data folder."""
    if of == "SQLite":
        yield None
        return
    server = TOLD["CADRE_TEST_POSTGRES_URL"]
    name = f"bench_{time.monotonic_ns()}"
    run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"])
    try:
        yield server.rsplit("/", 1)[0] + "/" + name
    finally:
        run(["psql", "-q", server, "-c", f"DROP DATABASE {name}"])


def sync(env, integration, *flags):
    seconds, output = timed([RELEASE / "cadre", "integration", "sync", integration, *flags], env=env)
    if "SUCCEEDED" not in output.upper():
        sys.exit(f"the sync did not succeed: {output}")
    return seconds


def resyncs(kind, rounds, work):
    """The first sync, one that changes nothing, and one that asks what changed where 1 % has."""
    first, same, delta = [], [], []
    for _ in range(rounds):
        folder = pathlib.Path(tempfile.mkdtemp(dir=work))
        with databases(kind) as url, Vendor(0) as vendor:
            env = environment(folder, url)
            integration = link(env, vendor.url)
            first.append(sync(env, integration))
            same.append(sync(env, integration))
            request = urllib.request.Request(vendor.url + "/change", method="POST")
            urllib.request.urlopen(request).close()
            delta.append(sync(env, integration, "--delta"))
        shutil.rmtree(folder)
    medians = {name: statistics.median(of) for name, of in (("first", first), ("same", same), ("delta", delta))}
    print(f"\nSyncs one after another, {EMPLOYEES} employees, {kind}, {rounds} rounds (start of the process included)")
    print(f"  the first                       {medians['first']:8.2f} s")
    for name, words, goal in (("same", "nothing changed, all read", 3), ("delta", "1 % changed, asked for alone", 20)):
        ratios = [one / other for one, other in zip(first, {"same": same, "delta": delta}[name])]
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"  {words:<31} {medians[name]:8.2f} s  = {statistics.median(ratios):.1f} times as fast ({spread}; goal {goal})")
    sys.stdout.flush()
    return {"first": first, "same": same, "delta": delta}


def sizes(kind, small, large, rounds, work):
    """What a record costs in a first sync of few and of many."""
    costs = {small: [], large: []}
    for _ in range(rounds):
        for employees in (small, large):
            folder = pathlib.Path(tempfile.mkdtemp(dir=work))
            with databases(kind) as url, Vendor(0, employees) as vendor:
                env = environment(folder, url)
                integration = link(env, vendor.url)
                costs[employees].append(sync(env, integration) / employees * 1e6)
            shutil.rmtree(folder)
    few, many = (statistics.median(costs[employees]) for employees in (small, large))
    print(f"\nWhat a record costs, {kind}: {few:.0f} us of {small}, {many:.0f} us of {large} = {many / few:.2f} (goal 0.8 to 1.2)", flush=True)
    return {str(employees): of for employees, of in costs.items()}


# --- Peers -------------------------------------------------------------------------------------


def airbyte(vendor, folder):
    """The CLI of airbyte-cdk: reads, and prints every record to a file."""
    manifest = yaml.safe_load((HERE / "peers" / "airbyte-manifest.yaml").read_text())
    config = {"base_url": vendor.url, "__injected_declarative_manifest": manifest}
    stream = {"name": "employees", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    chosen = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps({"streams": [chosen]}))
    command = [PEERS / "source-declarative-manifest", "read", "--config", "config.json", "--catalog", "catalog.json"]
    start = time.perf_counter()
    with open(folder / "output.jsonl", "wb") as output:
        subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - start
    with open(folder / "output.jsonl", "rb") as output:
        return seconds, sum(line.startswith(b'{"type":"RECORD"') for line in output)


def dlt(vendor, folder):
    """dlt's REST source into a DuckDB file."""
    seconds, _ = timed([PEERS / "python", HERE / "peers" / "dlt_read.py", vendor.url, folder])
    with contextlib.closing(duckdb.connect(folder / "bench.duckdb", read_only=True)) as database:
        return seconds, database.execute("SELECT COUNT(*) FROM hr.employees").fetchone()[0]


# --- The parts ---------------------------------------------------------------------------------


def rounds_of(delay_ms, contenders, rounds, work):
    """Seconds of every contender, round by round."""
    times = {name: [] for name in contenders}
    with Vendor(delay_ms) as vendor:
        for at in range(rounds):
            for name, contender in contenders.items():
                folder = pathlib.Path(tempfile.mkdtemp(dir=work))
                seconds, records = contender(vendor, folder)
                if records != EMPLOYEES:
                    sys.exit(f"{name}: {records} records instead of {EMPLOYEES}")
                times[name].append(seconds)
                shutil.rmtree(folder)
                print(f"  {delay_ms} ms, round {at + 1}: {name} {seconds:.2f} s", file=sys.stderr)
    return times


def full_sync(delay_ms, contenders, rounds, work):
    times = rounds_of(delay_ms, contenders, rounds, work)
    medians = {name: statistics.median(of) for name, of in times.items()}
    print(f"\nFull sync, {EMPLOYEES} employees in 200 pages, {delay_ms} ms per page, {rounds} rounds")
    for name, median in medians.items():
        spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
        line = f"  {name:<22} {median:7.2f} s  ({spread})"
        if not name.startswith("cadre"):
            ratios = [f"{median / of:.1f}x {ours}" for ours, of in medians.items() if ours.startswith("cadre")]
            line += "  = " + ", ".join(ratios)
        print(line, flush=True)
    return {"delay_ms": delay_ms, "seconds": times, "medians": medians}


def start_up():
    """What the processes cost before they read anything."""
    commands = {
        "cadre": [RELEASE / "cadre", "--version"],
        "airbyte-cdk": [PEERS / "source-declarative-manifest", "--help"],
        "dlt": [PEERS / "python", "-c", "import dlt, dlt.sources.rest_api"],
    }
    medians = {name: statistics.median(timed(command)[0] for _ in range(3)) for name, command in commands.items()}
    print("\nStart-up alone: " + ", ".join(f"{name} {of:.2f} s" for name, of in medians.items()), flush=True)
    return medians


def mapping():
    numbers = json.loads(run([RELEASE / "bench-mapping", HERE / "connectors" / "benchhr"]))
    print(f"\nMapping, a record of {numbers['record_bytes']} bytes, {numbers['fields']} fields, per record")
    print(f"  parsing (serde_json)            {numbers['parse_ns'] / 1000:6.2f} us")
    print(f"  mapping                         {numbers['map_ns'] / 1000:6.2f} us  = {numbers['map_to_parse']:.2f} of parsing")
    print(f"  mapping and sealing             {numbers['map_and_seal_ns'] / 1000:6.2f} us  = {numbers['map_and_seal_to_parse']:.2f} of parsing")
    print(f"  the same expressions in jaq     {numbers['jaq_ns'] / 1000:6.2f} us  = {numbers['jaq_to_map']:.2f} of mapping")
    print(f"  parsing by jaq                  {numbers['jaq_parse_ns'] / 1000:6.2f} us", flush=True)
    return numbers


def webhooks(name, database_url=None):
    """Deliveries from the ledger to a receiver on this machine, against posts that nobody signs or keeps."""
    flags = ["--database", database_url] if database_url else []
    numbers = json.loads(run([RELEASE / "bench-webhooks", *flags]))
    print(f"\nWebhooks, {name} ({numbers['events']} events about {numbers['subjects']} integrations)")
    print(f"  events written to the ledger    {numbers['written_per_second']:8.0f} /s, each in its own transaction")
    print(f"  delivered, signed, logged       {numbers['delivered_per_second']:8.0f} /s")
    print(f"  posted by the same client       {numbers['posted_per_second']:8.0f} /s")
    low, high = min(numbers["ratios"]), max(numbers["ratios"])
    middle = statistics.median(numbers["ratios"])
    print(f"  ratio                           {middle:8.0%}  ({low:.0%} to {high:.0%})", flush=True)
    return numbers


def webhooks_postgres():
    server = TOLD["CADRE_TEST_POSTGRES_URL"]
    name = f"bench_{time.monotonic_ns()}"
    run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"])
    try:
        return webhooks("PostgreSQL", server.rsplit("/", 1)[0] + "/" + name)
    finally:
        run(["psql", "-q", server, "-c", f"DROP DATABASE {name}"])


def dashboard_postgres():
    server = TOLD["CADRE_TEST_POSTGRES_URL"]
    name = f"bench_{time.monotonic_ns()}"
    run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"])
    try:
        return dashboard.report(RELEASE / "cadre", server.rsplit("/", 1)[0] + "/" + name)
    finally:
        run(["psql", "-q", server, "-c", f"DROP DATABASE {name}"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pages(work, name, requests, tool="benchhr", database_url=None):
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    env = environment(folder, database_url) | {"CADRE_CONCURRENT_SYNCS": "0"}
    with Vendor(0) as vendor:
        integration = link(env, vendor.url, tool)
        run([RELEASE / "cadre", "integration", "sync", integration], env=env)
    key = run([RELEASE / "cadre", "key", "create", "--name", "bench"], env=env).strip()
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen([RELEASE / "cadre", "serve", "--listen", address], env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(address)
        flags = {"address": address, "key": key, "integration": integration, "requests": requests}
        command = [RELEASE / "bench-page", *(part for flag in flags.items() for part in (f"--{flag[0]}", flag[1]))]
        numbers = json.loads(run(command))
    finally:
        server.terminate()
        server.wait()
    print(f"\nA page of 250 employees, {name} ({numbers['page_bytes'] // 1000} KB, {numbers['connections']} connections)")
    print(f"  cadre                           {numbers['cadre_per_second']:8.0f} requests/s")
    print(f"  the same bytes from memory      {numbers['memory_per_second']:8.0f} requests/s")
    low, high = min(numbers["ratios"]), max(numbers["ratios"])
    print(f"  ratio                           {numbers['ratio']:8.0%}  ({low:.0%} to {high:.0%})", flush=True)
    return numbers


def wait_for(address):
    host, port = address.split(":")
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=2):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on {address}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the full sync (default 3)")
    parser.add_argument("--only", default="sync,delay,resync,size,mapping,page,webhooks,dashboard", help="parts, with commas between them")
    parser.add_argument("--large", type=int, default=200_000, help="records of the large sync (default 200,000)")
    parser.add_argument("--no-peers", action="store_true", help="Cadre alone")
    parser.add_argument("--json", type=pathlib.Path, help="also write all numbers to this file")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    contenders = {"cadre, SQLite": cadre_sqlite}
    if "CADRE_TEST_POSTGRES_URL" in TOLD:
        contenders["cadre, PostgreSQL"] = cadre_postgres
    if not arguments.no_peers:
        contenders |= {"airbyte-cdk": airbyte, "dlt into DuckDB": dlt}
    versions = {name: importlib.metadata.version(name) for name in ("airbyte-cdk", "dlt", "duckdb")}
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in versions.items()),
        flush=True,
    )
    numbers = {"versions": versions, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="cadre-bench-") as work:
        if "mapping" in parts:
            numbers["mapping"] = mapping()
        if "page" in parts:
            numbers["page"] = pages(work, "SQLite", 2_000)
        if "webhooks" in parts:
            numbers["webhooks"] = webhooks("SQLite")
            if "CADRE_TEST_POSTGRES_URL" in TOLD:
                numbers["webhooks_postgres"] = webhooks_postgres()
        if "dashboard" in parts:
            numbers["dashboard"] = dashboard.report(RELEASE / "cadre")
            if "CADRE_TEST_POSTGRES_URL" in TOLD:
                numbers["dashboard_postgres"] = dashboard_postgres()
        kinds = ["SQLite"] + (["PostgreSQL"] if "CADRE_TEST_POSTGRES_URL" in TOLD else [])
        if "resync" in parts:
            numbers["resync"] = {kind: resyncs(kind, arguments.rounds, work) for kind in kinds}
        if "size" in parts:
            few = min(10_000, arguments.large // 20)
            numbers["size"] = {kind: sizes(kind, few, arguments.large, 1, work) for kind in kinds}
        if "sync" in parts:
            numbers["sync"] = full_sync(0, contenders, arguments.rounds, work)
        if "delay" in parts:
            numbers["delay"] = full_sync(40, contenders, arguments.rounds, work)
        if "sync" in parts and not arguments.no_peers:
            numbers["start_up"] = start_up()
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
