"""What `run` runs: each function is a scenario, and hands out what it has seen, one (label, problem) for each check."""

import itertools
import signal
import subprocess
import sys
import threading
import time

import direct
import peers
import proxy

# How a dialect of the programs is written in the options of the proxy.
TRANSPORTS = {"framed": "framed", "buffered": "unframed", "header": "header", "header-zlib": "header",
              "ttheader": "ttheader", "ttheader-framed": "ttheader-framed"}
PROTOCOLS = {"binary": "binary", "oldbinary": "old-binary", "compact": "compact"}


def options(dialect):
    transport, protocol = dialect.rsplit("-", 1)
    return f"{{transport: {TRANSPORTS[transport]}, protocol: {PROTOCOLS[protocol]}}}"


class Group:
    """Clients of one server, through one proxy."""

    def __init__(self, server, dialect, asked, multiplexed=False, **keys):
        # (client, its dialect, cases) each.
        self.server, self.dialect, self.asked, self.multiplexed, self.keys = server, dialect, asked, multiplexed, keys

    def checks(self, patterns):
        suffix = "+multiplexed" if self.multiplexed else ""
        with peers.Server(self.server, self.dialect, self.multiplexed) as server, proxy.simple(server.address, **self.keys) as running:
            for client, dialect, cases in self.asked:
                lines = peers.ask(client, running.addresses["l"], dialect, cases, self.multiplexed)
                way = dialect if dialect == self.dialect else f"{dialect} to {self.dialect}"
                for state, case, why in lines:
                    known = direct.is_known(client, self.server, dialect + suffix, case, patterns) or direct.is_known(
                        client, self.server, self.dialect + suffix, case, patterns)
                    if state != "skipped" and not (state == "FAILED" and known):
                        yield f"{client} -> {self.server}, {way}{suffix}: {case}", why if state == "FAILED" else None


def plain_and_multiplexed(server, dialect, client, own, cases="all", **keys):
    """The cases of a client on a plain server, then those whose outcome can differ on a multiplexed one."""
    yield Group(server, dialect, [(client, own, direct.plain_cases(cases))], **keys)
    if peers.multiplexes(client, server):
        yield Group(server, dialect, [(client, own, direct.multiplexed_cases(cases))], True, **keys)


def multiplexed_where_possible(server, dialect, asked, **keys):
    """One server for the clients that multiplex, if it does, and a plain one for the others."""
    apart = {True: [], False: []}
    for each in asked:
        apart[peers.multiplexes(each[0], server)].append(each)
    for multiplexed, clients in apart.items():
        if clients:
            yield Group(server, dialect, clients, multiplexed, **keys)


def matrix(languages, everything):
    """Every client with every server: those of one language in all dialects, others in turn, or in all as well."""
    turns = itertools.count()
    for client, server in itertools.product(languages, languages):
        shared = [dialect for dialect in peers.DIALECTS if peers.speaks(client, dialect) and peers.speaks(server, dialect)]
        if client != server and not everything:
            turn = next(turns)
            yield Group(server, shared[turn % len(shared)], [(client, shared[turn % len(shared)], direct.plain_cases("all"))])
            continue
        for dialect in shared:
            yield from plain_and_multiplexed(server, dialect, client, dialect)


# Headers end where there is no place for them.
BRIDGED = ",".join(case for case in peers.CASES if case not in ("headers", "concurrent"))


def bridged(languages, everything):
    """Clients of every dialect with servers of others."""
    # One server of each dialect; the languages take turns.
    turns = itertools.count()
    for dialect in peers.DIALECTS:
        servers = [server for server in languages if peers.speaks(server, dialect)]
        chosen = servers if everything else servers[next(turns) % max(len(servers), 1):][:1]
        for server in chosen:
            clients = [(client, own) for client in languages for own in peers.SPOKEN[client]
                       if own != dialect and not (server == "cpp" and "zlib" in own)]
            if not everything:
                clients = clients[::3]
            asked = [(client, own, BRIDGED) for client, own in clients]
            yield from multiplexed_where_possible(server, dialect, asked, options=options(dialect))


def shared(languages, everything):
    """Many clients on one connection, whatever numbers they use."""
    for server, dialect in (("java", "framed-binary"), ("go", "framed-compact"), ("go", "ttheader-binary"), ("kitex", "ttheader-binary"),
                            ("cpp", "framed-binary"), ("python", "header-binary"), ("node", "framed-binary")):
        if server not in languages:
            continue
        clients = [(client, own) for client in languages for own in (dialect, "framed-binary", "buffered-compact") if peers.speaks(client, own)]
        if not everything:
            clients = clients[::2]
        cases = "concurrent," + BRIDGED
        asked = [(client, own, cases) for client, own in dict.fromkeys(clients)]
        yield from multiplexed_where_possible(server, dialect, asked, options=options(dialect), upstream_mode="shared")


def told_errors(languages, _):
    """The proxy's own errors, as each client sees them."""
    yield Errors(languages)


class Errors:
    def __init__(self, languages):
        self.languages = languages

    def checks(self, _):
        listeners = {"routeless": "{match: {method: somethingElse}, cluster: gone}", "upstreamless": "{cluster: gone}"}
        with proxy.Proxy(listeners, [proxy.cluster("gone", "127.0.0.1:1")]) as running:
            for client in self.languages:
                for dialect in peers.SPOKEN[client]:
                    yield from self.seen(client, dialect, running)

    def seen(self, client, dialect, running):
        for listener, kind, method in (("routeless", "route_not_found", "ok"), ("upstreamless", "connection_failure", "FAILED")):
            lines = peers.ask(client, running.addresses[listener], dialect, "void,unknown-method")
            states = {case: (state, why) for state, case, why in lines}
            label = f"{client}, {dialect}, {listener}"
            state, why = states.get("void", ("", "no line"))
            # The text is the proxy's own.
            yield f"{label}: the reason", None if state == "FAILED" and kind in why else f"{state} {why}"
            state, why = states.get("unknown-method", ("", "no line"))
            # Only the type UNKNOWN_METHOD passes; what follows it is a call that fails, too.
            first = "route_not_found" in why or state == "ok" if method == "ok" else "6" in why or kind in why
            yield f"{label}: the type", None if first else f"{state} {why}"


def restart(languages, _):
    yield Restart()


class Restart:
    """A server that goes and comes back: calls in between are answered, no connection of a client is lost."""

    def checks(self, _):
        connect = stubs()
        with peers.Server("python", "framed-binary") as first:
            port = first.address.rsplit(":", 1)[1]
            running = proxy.simple(first.address)
            client = connect(running.addresses["l"])
            yield "restart: before", outcome(client.nothing)[1]
            calls, ended = [], threading.Event()
            caller = threading.Thread(target=lambda: call_until(client.nothing, calls, ended))
            caller.start()
            time.sleep(0.3)
        time.sleep(0.3)
        with running:
            command = [peers.HERE / "peer", "python", "server", "--port", port, "--tag", "again", *peers.words("framed-binary", False)]
            with peers.Program(command):
                time.sleep(1.5)
                ended.set()
                caller.join()
                yield "restart: after", outcome(client.nothing)[1]
        kinds = {kind for kind, _ in calls}
        yield "restart: nothing but answers", None if kinds == {"ok", "TApplicationException"} else str(sorted(kinds))


def call_until(call, calls, ended):
    while not ended.is_set():
        calls.append(outcome(call))
        time.sleep(0.005)


def outcome(call):
    try:
        call()
        return "ok", None
    except Exception as problem:  # whatever it is, it is what was seen
        return type(problem).__name__, f"{type(problem).__name__}: {problem}"


def stubs():
    """The stubs of Apache Thrift for Python, in this process: a function that connects."""
    sys.path[:0] = [str(peers.HERE / "python"), str(peers.HERE / "target" / "python")]
    import argparse

    import client

    def connect(address, transport="framed", multiplexed=False):
        given = argparse.Namespace(address=address, transport=transport, protocol="binary", multiplexed=multiplexed)
        connection = client.Connection(given)
        connection.transport.open()
        connect.last = connection
        return connection.kitchen

    return connect


def routes(languages, _):
    yield Routes()


class Routes:
    """Calls find their server by method, by service and by header, and headers are changed."""

    def checks(self, _):
        connect = stubs()
        with peers.Server("python", "framed-binary", True, tag="one") as one, peers.Server("python", "header-binary", True, tag="two") as two:
            listeners = {
                "methods": "{match: {method: whoami}, cluster: one}, {match: {method: echoString}, cluster: one}",
                "services": "{match: {service: Kitchen}, cluster: one}",
                "headers": "{match: {tenant: blue}, request: {set: {seen: 'by the proxy', tenant: green}, remove: [secret]}, "
                           "response: {set: {way: back}}, cluster: two}, {cluster: two, timeout: 1s}",
            }
            with proxy.Proxy(listeners, [proxy.cluster("one", one.address), proxy.cluster("two", two.address)]) as running:
                yield from self.by_name(connect, running)
                yield from self.by_header(connect, running)

    def by_name(self, connect, running):
        kitchen = connect(running.addresses["methods"], multiplexed=True)
        yield "routes: by method", is_equal(kitchen.whoami(), "one")
        yield "routes: other methods", is_equal(outcome(kitchen.nothing)[0], "TApplicationException")
        kitchen = connect(running.addresses["services"], multiplexed=True)
        yield "routes: by service", is_equal(kitchen.echoString("a"), "a")
        yield "routes: other services", is_equal(outcome(lambda: connect.last.pantry.echoString("a"))[0], "TApplicationException")

    def by_header(self, connect, running):
        kitchen = connect(running.addresses["headers"], transport="header", multiplexed=True)
        connect.last.set_headers({"tenant": "blue", "secret": "x"})
        yield "routes: by header, which is set", is_equal(kitchen.header("tenant"), "green")
        yield "routes: of the answer", is_equal(connect.last.answer_headers().get("way"), "back")
        for name, value in (("seen", "by the proxy"), ("secret", "")):
            connect.last.set_headers({"tenant": "blue", "secret": "x"})
            yield f"routes: the header {name}", is_equal(kitchen.header(name), value)
        connect.last.set_headers({"tenant": "red"})
        yield "routes: no change elsewhere", is_equal(kitchen.header("tenant"), "red")


def traffic(languages, _):
    yield Traffic()


class Traffic:
    """Calls are tried again when a server hangs, which is left out then; copies are made; what is too much is refused."""

    def checks(self, _):
        connect = stubs()
        with peers.Server("python", "framed-binary", tag="one") as one, peers.Server("python", "framed-binary", tag="two") as two:
            retry = "timeout: 5s, retry: {on: [timeout], attempts: 1, per_try_timeout: 300ms}"
            listeners = {
                "retried": f"{{cluster: pair, {retry}}}",
                "mirrored": "{cluster: one, mirror: {cluster: two}}",
                "narrow": "{cluster: narrow}",
            }
            clusters = [
                proxy.cluster("pair", one.address, two.address, outlier_detection="{consecutive_failures: 2, ejection_time: 60s}"),
                proxy.cluster("one", one.address),
                proxy.cluster("two", two.address),
                proxy.cluster("narrow", two.address, circuit_breakers="{max_requests: 1}"),
            ]
            with proxy.Proxy(listeners, clusters) as running:
                yield from self.mirrored(connect, running, (one, two))
                yield from self.narrow(connect, running)
                yield from self.hangs(connect, running, one)

    def mirrored(self, connect, running, servers):
        connect(running.addresses["mirrored"]).note("copied")
        for server in servers:
            noted, end = connect(server.address).noted, time.monotonic() + 3
            while noted("copied") == 0 and time.monotonic() < end:
                time.sleep(0.02)
            yield f"traffic: a copy for each, {server.address}", is_equal(noted("copied"), 1)

    def narrow(self, connect, running):
        first, second = (connect(running.addresses["narrow"]) for _ in range(2))
        second.nothing()
        seen = []
        sleeper = threading.Thread(target=lambda: seen.append(outcome(lambda: first.sleep(800))))
        sleeper.start()
        time.sleep(0.3)
        began = time.monotonic()
        kind, why = outcome(second.nothing)
        yield "traffic: one too many", None if kind == "TApplicationException" and "requests are in flight" in why else f"{kind} {why}"
        yield "traffic: refused at once", None if time.monotonic() - began < 0.3 else "it took its time"
        sleeper.join()
        yield "traffic: the first one", is_equal(seen, [("ok", None)])
        yield "traffic: again, when there is room", outcome(second.nothing)[1]

    def hangs(self, connect, running, one):
        kitchen = connect(running.addresses["retried"])
        yield "traffic: both serve", is_equal({kitchen.whoami() for _ in range(8)}, {"one", "two"})
        one.process.send_signal(signal.SIGSTOP)
        try:
            yield "traffic: tried again elsewhere", is_equal({kitchen.whoami() for _ in range(8)}, {"two"})
            began = time.monotonic()
            yield "traffic: still", is_equal({kitchen.whoami() for _ in range(8)}, {"two"})
            yield "traffic: left out", None if time.monotonic() - began < 0.3 else "calls still wait for it"
        finally:
            one.process.send_signal(signal.SIGCONT)


def is_equal(seen, wanted):
    return None if seen == wanted else f"{seen!r} instead of {wanted!r}"


ALL = [routes, traffic, restart, told_errors, matrix, bridged, shared]
