"""What the tests of whole programs share: how a case says what is wrong or cannot be here, and how cases are run."""
import argparse
import json
import os
import select
import signal
import subprocess
import tempfile
import time

PATIENCE = 60  # seconds; a bound against hanging, not a measurement

for s in (signal.SIGINT, signal.SIGHUP):  # whoever started us may ignore them, and programs inherit that
    if signal.getsignal(s) == signal.SIG_IGN:
        signal.signal(s, signal.SIG_DFL)


def check(cond, why):
    if not cond:
        raise AssertionError(why)


class Skip(Exception):
    """This host's KVM lacks what the case is about."""


def read_until(fd, text, patience=PATIENCE):
    got, end = b"", time.monotonic() + patience
    while text not in got:
        check(select.select([fd], [], [], max(0, end - time.monotonic()))[0], f"waited for {text!r}, got {got!r}")
        more = os.read(fd, 4096)
        check(more, f"end of file, waited for {text!r}, got {got!r}")
        got += more
    return got


def usable_kvm():
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
        return True
    except OSError as x:
        print(f"SKIPPED: /dev/kvm: {x.strerror}")
        return False


def tree(pid):
    """The process and its descendants."""
    found = [pid]
    for p in found:
        try:
            with open(f"/proc/{p}/task/{p}/children", encoding="ascii") as f:
                found += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return found


def monitor_of(pid):
    """The process beside the guest, of a coffer that has started it."""
    for p in tree(pid):
        with open(f"/proc/{p}/comm", encoding="ascii") as f:
            if f.read().strip() == "coffer-monitor":
                return p
    raise AssertionError("no coffer-monitor")


class Env:
    def __init__(self, coffer, payloads, tmp):
        self.coffer, self.payloads, self.tmp = coffer, payloads, tmp

    def path(self, name):
        return os.path.join(self.tmp, name)

    def cmd(self, payload, *args):
        return [self.coffer, "run", "-k", os.path.join(self.payloads, payload + ".elf"),
                "-m", "16M", "--debug-exit", *args]

    def run(self, payload, *args, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.cmd(payload, *args), capture_output=True, timeout=PATIENCE, **kw)

    def start(self, payload, *args, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.cmd(payload, *args), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **kw)

    def status(self, payload, expect, *args):
        """Run, check the exit status (one, or a tuple of those that are right) and the status file, return the latter."""
        f = self.path("status.json")
        p = self.run(payload, "--status-file", f, *args)
        right = expect if isinstance(expect, tuple) else (expect,)
        check(p.returncode in right, f"exit status {p.returncode}, expected {expect}; stderr: {p.stderr.decode()}")
        with open(f, encoding="utf-8") as s:
            st = json.load(s)
        check(st["exit_status"] == p.returncode, f"status file says {st}")
        return st


def main(cases, make_env):
    """A test program's main: "list" prints the cases, names run them. Its exit status."""
    a = argparse.ArgumentParser()
    a.add_argument("--coffer")
    a.add_argument("--payloads")
    a.add_argument("--document")
    a.add_argument("case", nargs="+")
    a = a.parse_args()
    if a.case == ["list"]:
        print("\n".join(cases))
        return 0
    if not usable_kvm():
        return 77
    more = [os.path.abspath(a.document)] if a.document else []
    failed = skipped = 0
    for name in a.case:
        with tempfile.TemporaryDirectory(prefix="coffer-test-") as tmp:
            try:
                cases[name](make_env(os.path.abspath(a.coffer), os.path.abspath(a.payloads), tmp, *more))
                print(f"ok {name}")
            except Skip as x:
                print(f"SKIPPED {name}: {x}")
                skipped += 1
            except (AssertionError, subprocess.TimeoutExpired, OSError) as x:
                print(f"FAILED {name}: {x}")
                failed = 1
    return failed or (77 if skipped == len(a.case) else 0)
