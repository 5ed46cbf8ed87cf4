"""What both Python servers do."""

import collections
import time


class Cook:
    def __init__(self, tag, burnt):
        self.tag = tag
        self.burnt = burnt
        self.notes = collections.Counter()

    def bake(self, degrees):
        if degrees > 200:
            raise self.burnt("too hot", degrees)
        return f"baked at {degrees}"

    def fail(self, reason):
        raise RuntimeError(reason)

    def nothing(self):
        pass

    def note(self, key):
        self.notes[key] += 1

    def noted(self, key):
        return self.notes[key]

    def sleep(self, ms):
        time.sleep(ms / 1000)

    def whoami(self):
        return self.tag

    def __getattr__(self, name):
        if name.startswith("echo"):
            return lambda value: value
        raise AttributeError(name)


class Shelves:
    def echoString(self, value):
        return f"pantry: {value}"

    def shelf(self, number):
        return f"shelf {number}"
