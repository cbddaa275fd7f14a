"""QEMU's monitor protocol, as far as a test needs it."""
import contextlib
import json
import socket
import time


class Qmp:
    def __init__(self, path, patience):
        deadline = time.monotonic() + patience
        self.s = socket.socket(socket.AF_UNIX)
        while True:
            with contextlib.suppress(OSError):
                self.s.connect(path)
                break
            if time.monotonic() >= deadline:
                raise AssertionError("QEMU does not listen")
            time.sleep(0.1)
        self.f = self.s.makefile("rw")
        self.f.readline()
        self.ask("qmp_capabilities")

    def ask(self, command):
        self.f.write(json.dumps({"execute": command}) + "\n")
        self.f.flush()
        while True:
            r = json.loads(self.f.readline())
            if "error" in r:
                raise AssertionError(f"{command}: {r}")
            if "return" in r:
                return r["return"]
