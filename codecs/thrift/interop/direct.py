#!/usr/bin/env python3
"""Runs every client against every server over the dialects that both know, with nothing in between, and prints a table.

    direct.py [--clients python,go] [--servers java] [--dialects framed-binary,header-compact] [--cases all]

Failures that known.txt names are told as `known`; others end the run with exit code 1.
"""

import argparse
import fnmatch
import sys

import peers


def known_failures():
    with open(peers.HERE / "known.txt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                pattern, reason = line.split("|", 1)
                yield pattern.split(), reason.strip()


def is_known(client, server, dialect, case, patterns):
    seen = (client, server, dialect, case)
    return any(all(fnmatch.fnmatch(*pair) for pair in zip(seen, pattern)) for pattern, _ in patterns)


class Outcome:
    """What the client of one combination said."""

    def __init__(self):
        self.passed, self.known, self.skipped, self.failed = 0, [], [], []

    def text(self):
        if self.failed:
            return f"{len(self.failed)} FAILED"
        return f"{self.passed} ok" + (f", {len(self.known)} known" if self.known else "")


def combination(client, server, dialect, cases, patterns):
    """All cases on a plain server, then those on a multiplexed one whose outcome can differ there."""
    outcome = Outcome()
    for multiplexed in (False, True):
        chosen = plain_cases(cases) if not multiplexed else multiplexed_cases(cases)
        if not chosen or multiplexed and not peers.multiplexes(client, server):
            continue
        with peers.Server(server, dialect, multiplexed) as running:
            lines = peers.ask(client, running.address, dialect, chosen, multiplexed)
        label = dialect + ("+multiplexed" if multiplexed else "")
        for state, case, why in lines:
            if state == "ok":
                outcome.passed += 1
            elif state == "skipped":
                outcome.skipped.append((case, why))
            elif is_known(client, server, label, case, patterns):
                outcome.known.append((f"{case} ({label})", why))
            else:
                outcome.failed.append((f"{case} ({label})", why))
    return outcome


def plain_cases(cases):
    chosen = peers.CASES if cases == "all" else cases.split(",")
    return ",".join(case for case in chosen if case != "multiplexed")


def multiplexed_cases(cases):
    chosen = ["multiplexed", *peers.ENDINGS] if cases == "all" else cases.split(",")
    return ",".join(chosen) if "multiplexed" in chosen else ""


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("clients", "servers", "dialects", "cases"):
        words.add_argument(f"--{name}", default="all")
    words.add_argument("--verbose", action="store_true", help="tells known failures and skipped cases, too")
    given = words.parse_args()
    patterns = list(known_failures())
    chosen = lambda text, everything: everything if text == "all" else text.split(",")
    built = peers.built()
    clients, servers = chosen(given.clients, built), chosen(given.servers, built)
    passed = failed = known = 0
    table = []
    for dialect in chosen(given.dialects, peers.DIALECTS):
        for client in clients:
            for server in servers:
                if not (peers.speaks(client, dialect) and peers.speaks(server, dialect)):
                    continue
                outcome = combination(client, server, dialect, given.cases, patterns)
                passed, known, failed = passed + outcome.passed, known + len(outcome.known), failed + len(outcome.failed)
                print(f"{dialect} {client} -> {server}: {outcome.text()}", flush=True)
                for case, why in outcome.failed:
                    print(f"    FAILED {case}: {why}", flush=True)
                for state, told in (("known", outcome.known), ("skipped", outcome.skipped)):
                    for case, why in told if given.verbose else []:
                        print(f"    {state} {case}: {why}", flush=True)
                table.append((dialect, client, server, outcome))
    print_table(table)
    print(f"{passed} passed, {failed} failed, {known} known to fail between the peers")
    sys.exit(1 if failed or not passed else 0)


def print_table(table):
    for dialect in dict.fromkeys(row[0] for row in table):
        rows = [row for row in table if row[0] == dialect]
        servers = list(dict.fromkeys(row[2] for row in rows))
        print(f"\n{dialect:24}" + "".join(f"{server:>16}" for server in servers))
        for client in dict.fromkeys(row[1] for row in rows):
            cells = {row[2]: row[3].text() for row in rows if row[1] == client}
            print(f"  {client:22}" + "".join(f"{cells.get(server, '-'):>16}" for server in servers))
    print()


if __name__ == "__main__":
    main()
