"""The cases of both Python clients. A connection `c` has the stubs `kitchen` and `pantry`, the generated `types`, and what
the two libraries do differently: `send` and `receive`, `set_headers` and `answer_headers`, `application_exception`."""

import argparse
import concurrent.futures
import math
import struct
import sys
import time
import uuid

# Types of TApplicationException.
UNKNOWN, UNKNOWN_METHOD, INTERNAL_ERROR = 0, 1, 6


class Skipped(Exception):
    """The library can't do this case."""


def same(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"{str(seen)[:200]!r} instead of {str(wanted)[:200]!r}")


def base_types(c):
    k = c.kitchen
    for value in (True, False):
        same(k.echoBool(value), value)
    for echo, bits in ((k.echoByte, 8), (k.echoShort, 16), (k.echoInt, 32), (k.echoLong, 64)):
        for value in (0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))):
            same(echo(value), value)
    for value in (0.0, 1.5, 5e-324, sys.float_info.max, math.inf, -math.inf):
        same(struct.pack(">d", k.echoDouble(value)), struct.pack(">d", value))
    same(math.isnan(k.echoDouble(math.nan)), True)
    same(k.echoBinary(bytes(range(256))), bytes(range(256)))


def strings(c):
    for value in ("", "a", "Käse über Öl", "🍲 soup 🥖", "x" * 40000):
        same(c.kitchen.echoString(value), value)


def dish(types):
    spices = [types.Spice("salt", 5, False), types.Spice("chili", None, True), types.Spice("")]
    return types.Dish("Gulasch 🍲", types.Spice("paprika", 20, True), spices, 12.5, {"pot": 1, "plate": -(2**40)}, b"\x00\xff\x80",
                True, types.Taste.BITTER, -7, "far off")


def structs(c):
    types = c.types
    for value in (dish(types), types.Dish("plain", spices=[], stock={}, vegan=False)):
        same(c.kitchen.echoDish(value), value)


def unions(c):
    types = c.types
    for value in (types.Filling(number=-(2**63)), types.Filling(text="jam"), types.Filling(spice=types.Spice("salt", 1)), types.Filling(many=[1, 2, 3])):
        same(c.kitchen.echoFilling(value), value)


def lists(c):
    types = c.types
    k = c.kitchen
    for value in ([], [True], [True, False, False, True] * 5):
        same(k.echoBools(value), value)
    for value in ([], [types.Spice(f"n{number}", number) for number in range(40)]):
        same(k.echoSpices(value), value)


def sets(c):
    for value in (set(), {0, -1, 2**31 - 1, -(2**31)}):
        same(set(c.kitchen.echoSet(value)), value)


def maps(c):
    types = c.types
    for value in ({}, {"": [], "primes": [2, 3, 5, 7], "köln": [-1]}):
        same(c.kitchen.echoMap(value), value)
    for value in ({}, {1: {"a": types.Spice("salt", 1, True)}, -2: {}}):
        same(c.kitchen.echoNested(value), value)


def declared_exception(c):
    same(c.kitchen.bake(180), "baked at 180")
    try:
        c.kitchen.bake(999)
    except c.types.Burnt as burnt:
        same((burnt.reason, burnt.degrees), ("too hot", 999))
    else:
        raise AssertionError("no exception")
    same(c.kitchen.bake(10), "baked at 10")


def application_exception(c, call, *kinds):
    try:
        call()
    except c.application_exception as answer:
        if answer.type not in kinds:
            raise AssertionError(f"type {answer.type}, message {answer.message!r}") from None
    else:
        raise AssertionError("no exception")


def undeclared_exception(c):
    application_exception(c, lambda: c.kitchen.fail("oven"), INTERNAL_ERROR, UNKNOWN)
    same(c.kitchen.echoInt(3), 3)


def unknown_method(c):
    application_exception(c, lambda: c.kitchen.notYet("x"), UNKNOWN_METHOD, UNKNOWN)
    same(c.kitchen.echoInt(4), 4)


def void(c):
    same(c.kitchen.nothing(), None)
    c.kitchen.sleep(1)


def oneway(c):
    key = f"py-{uuid.uuid4()}"
    for _ in range(3):
        c.kitchen.note(key)
    same(c.kitchen.echoString("after"), "after")
    deadline = time.monotonic() + 5
    while c.kitchen.noted(key) != 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    same(c.kitchen.noted(key), 3)


def large(c):
    text = "0123456789abcdeö" * 61681
    same(c.kitchen.echoString(text[:1 << 20]), text[:1 << 20])
    octets = bytes(range(256)) * 4096
    same(c.kitchen.echoBinary(octets), octets)


def pipelined(c):
    for number in range(200):
        c.send(number, f"n{number}")
    for number in range(200):
        same(c.receive(), f"n{number}")


def concurrent_connections(c):
    def one(number):
        with type(c)(c.given) as mine:
            for turn in range(20):
                same(mine.kitchen.echoString(f"{number}/{turn}"), f"{number}/{turn}")

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        list(pool.map(one, range(50)))


def multiplexed(c):
    if not c.given.multiplexed:
        raise Skipped("started without --multiplexed")
    same(c.kitchen.echoString("soup"), "soup")
    same(c.pantry.echoString("soup"), "pantry: soup")
    same(c.pantry.shelf(7), "shelf 7")
    same(c.kitchen.echoString("soup"), "soup")


def headers(c):
    if not c.given.transport.startswith("header"):
        raise Skipped("no headers on this transport")
    same(c.kitchen.header("absent"), "")
    c.set_headers({"tenant": "blaü", "empty": ""})
    same(c.kitchen.header("tenant"), "blaü")
    if "answered-by" not in c.answer_headers():
        raise AssertionError("the answer has no header answered-by")


CASES = {
    "base-types": base_types, "strings": strings, "structs": structs, "unions": unions, "lists": lists, "sets": sets,
    "maps": maps, "declared-exception": declared_exception, "undeclared-exception": undeclared_exception,
    "unknown-method": unknown_method, "void": void, "oneway": oneway, "large": large, "pipelined": pipelined,
    "concurrent": concurrent_connections, "multiplexed": multiplexed, "headers": headers,
}


def why(problem):
    text = f"{type(problem).__name__}: {problem}"
    return " ".join(text.split())[:300]


def run(connection_type, add_arguments):
    words = argparse.ArgumentParser()
    words.add_argument("--address", required=True)
    words.add_argument("--cases", default="all")
    add_arguments(words)
    given = words.parse_args()
    failed = False
    for name in CASES if given.cases == "all" else given.cases.split(","):
        try:
            with connection_type(given) as connection:
                CASES[name](connection)
            print(f"ok {name}", flush=True)
        except Skipped as reason:
            print(f"skipped {name}: {reason}", flush=True)
        except Exception as problem:  # whatever it is, it is the outcome of the case
            failed = True
            print(f"FAILED {name}: {why(problem)}", flush=True)
    sys.exit(1 if failed else 0)
