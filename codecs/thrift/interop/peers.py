"""Starts, asks and ends the programs, for `run`, `direct.py` and `capture`."""

import pathlib
import signal
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
HEADERLESS = [f"{transport}-{protocol}" for transport in ("framed", "buffered") for protocol in ("binary", "oldbinary", "compact")]
HEADER = ["header-binary", "header-compact"]
ZLIB = ["header-zlib-binary", "header-zlib-compact"]
TTHEADER = ["ttheader-binary", "ttheader-framed-binary"]
DIALECTS = HEADERLESS + HEADER + ZLIB + TTHEADER

# The unknown method comes last: Kitex closes the connection behind its answer, and a call that is on its way then is lost.
CASES = ["base-types", "strings", "structs", "unions", "lists", "sets", "maps", "declared-exception", "undeclared-exception",
         "void", "oneway", "large", "pipelined", "concurrent", "multiplexed", "headers", "unknown-method"]
# The ways in which a call can end, which a multiplexed server has code of its own for.
ENDINGS = ["declared-exception", "undeclared-exception", "unknown-method", "oneway", "headers"]

# What each library can speak. README.md says why the rest is missing.
SPOKEN = {
    "python": HEADERLESS + HEADER + ZLIB,
    "thriftpy2": HEADERLESS,
    "java": HEADERLESS,
    "go": HEADERLESS + HEADER + ZLIB + TTHEADER,
    "kitex": ["framed-binary", "buffered-binary", *TTHEADER],
    "node": HEADERLESS + HEADER,
    "cpp": HEADERLESS + HEADER,
}
# Libraries that have no names of services in front of those of methods.
ONE_SERVICE = ["kitex"]
# A file that `build` leaves behind for each language.
MADE = {
    "python": "python/kitchen", "thriftpy2": "thriftpy2/thriftpy2", "java": "java/kitchen.jar", "go": "go/kitchen",
    "kitex": "kitex/kitchen", "node": "node/client.js", "cpp": "cpp/client",
}


def built():
    return [language for language, made in MADE.items() if (HERE / "target" / made).exists()]


def speaks(language, dialect):
    return dialect in SPOKEN[language]


def multiplexes(*languages):
    return not any(language in ONE_SERVICE for language in languages)


def words(dialect, multiplexed):
    transport, protocol = dialect.rsplit("-", 1)
    return ["--transport", transport, "--protocol", protocol] + (["--multiplexed"] if multiplexed else [])


class Program:
    """A program that says where it listens, and is ended on leaving."""

    def __init__(self, command, patience=30):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        watch = threading.Timer(patience, self.process.kill)
        watch.start()
        line = self.process.stdout.readline()
        watch.cancel()
        if not line.startswith("listening on "):
            self.end()
            raise RuntimeError(f"{command} did not start: {line!r}")
        self.address = line.split()[-1]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Server(Program):
    def __init__(self, language, dialect, multiplexed=False, tag=None):
        command = [HERE / "peer", language, "server", "--port", "0", "--tag", tag or language]
        super().__init__(command + words(dialect, multiplexed))


def ask(language, address, dialect, cases, multiplexed=False, patience=120):
    """The lines of a client: (ok, skipped or FAILED; the case; why)."""
    command = [HERE / "peer", language, "client", "--address", address, "--cases", cases, *words(dialect, multiplexed)]
    try:
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=patience)
        output, errors, code = ran.stdout, ran.stderr, ran.returncode
    except subprocess.TimeoutExpired as late:
        output, errors, code = (late.stdout or b"").decode(), "", f"none after {patience} s"
    told = []
    for line in output.splitlines():
        state, _, rest = line.partition(" ")
        if state in ("ok", "FAILED", "skipped"):
            case, _, why = rest.partition(": ")
            told.append((state, case, why))
    if code not in (0, 1) or not told:
        told.append(("FAILED", "program", f"exit code {code}: {' '.join(errors.split())[-300:]}"))
    return told
