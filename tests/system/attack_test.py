#!/usr/bin/env python3
"""Lets each kind of the monitor's threads attack the host, and checks that every attempt fails.

attack_test.py --coffer FILE --monitor FILE --payload FILE --table FILE --as root|unprivileged [--write]

The monitor is the test build tests/attack. What became of every attempt must be what docs/attacks.md says;
--write writes that file. Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import concurrent.futures
import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

KINDS = ["main", "vcpu", "io", "worker"]  # as enum thread_kind
PATIENCE = 60
NOBODY = 65534
LEAKED = (300, 900)  # descriptors that coffer is started with, see attack_calls.c

INTRO = """# What a monitor that has been taken over can do

Printed by `tests/system/attack_test.py --write`, which fails when an attempt ends
otherwise, for root and for an unprivileged user alike.

A monitor whose threads run an attacker's code from the moment on when they are
locked down tries, once in each kind of thread, what follows. *Trapped*: the call
was not made; the monitor ended, and coffer named call, arguments and thread.
*Killed*: the kernel ended the monitor at once. An errno: the kernel refused, and
the attacker goes on with nothing gained. `ring:` attempts use the disks' io_uring,
which only a device's thread may enter. *worker* is a thread for disks on a host
without io_uring; the monitor of the test refuses to make a ring then. The ring's
own workers are the kernel's: they make what is asked of the ring, and nothing else.

`nested.attack.*` compares the columns vcpu and io with a stock Debian kernel. There,
what opens a path is tried once more with nothing but Landlock in the way (`--jail off
--seccomp off`, `nested.landlock.*`): EACCES in every thread, as root and as a user.

"""


class Skip(Exception):
    pass


def may_have_namespaces():
    """Neither in a chroot nor where an administrator has forbidden it."""
    p = subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False, **start_as("unprivileged"))
    return p.returncode == 0


def start_as(user):
    """Arguments of subprocess for that user."""
    if user == "root":
        if os.getuid() != 0:
            raise Skip("not root")
        return {}
    if os.getuid() != 0:
        return {}
    gid = os.stat("/dev/kvm").st_gid
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [gid]}


def outcome(stderr, call, thread):
    """In the words of the table; raises AssertionError when nothing stopped it."""
    m = re.search(r"ATTACK .*: (errno|SUCCESS) (\d+)", stderr)
    if m:
        assert m[1] == "errno", f"it worked: {m[0]}"
        return errno.errorcode[int(m[2])]
    m = re.search(r"its thread '([^']*)' \((\w+)\) made the system call (\S+)\(", stderr)
    if m:
        assert m[2] == thread, f"reported of a thread '{m[2]}', not '{thread}'"
        return f"trapped: {m[3]}"
    assert "killed (SIGSYS)" in stderr, f"{call}: neither refused, nor trapped, nor killed: {stderr}"
    return "killed"


def attempt(args, tmp, user, number, call, kind):
    """One run of coffer, in which one thread makes one attempt."""
    ident = uuid.UUID(bytes=bytes([KINDS.index(kind), number]) + b"\1" * 14)
    with tempfile.NamedTemporaryFile(dir=tmp) as image, open(os.path.join(tmp, "precious"), "r+b") as precious:
        os.truncate(image.name, 1 << 20)
        os.chmod(image.name, 0o666)

        def leak():
            for fd in LEAKED:
                os.dup2(precious.fileno(), fd, inheritable=True)

        # preexec_fn and close_fds: the descriptors must really be there
        p = subprocess.run([os.path.join(tmp, "coffer"), "run", "-k", args.payload, "-m", "16M", "--uuid", str(ident),
                            "-d", image.name, "--timeout", "30", "--console", "none"],
                           capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, close_fds=False,
                           preexec_fn=leak, check=False, **start_as(user))
        stderr = p.stderr.decode(errors="replace")
        assert p.returncode == 70, f"exit status {p.returncode}: {stderr}"
        precious.seek(0)
        assert precious.read() == b"precious", "the inherited file was written to"
        return outcome(stderr, call, kind)


def everything(args, tmp, user):
    names = subprocess.run([args.monitor, "list"], capture_output=True, check=True, text=True).stdout.splitlines()
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, call in enumerate(names, 1):
            for kind in KINDS:
                if kind == "io" or not call.startswith("ring:"):
                    jobs[call, kind] = pool.submit(attempt, args, tmp, user, number, call, kind)
    results, failed = {}, 0
    for (call, kind), job in jobs.items():
        try:
            results[call, kind] = job.result()
        except (AssertionError, subprocess.TimeoutExpired) as x:
            print(f"FAILED {call} in {kind}: {x}")
            failed += 1
    print(f"{len(jobs)} attempts as {user}: {len(jobs) - failed} failed as they must, {failed} did not")
    return names, results, failed


def table(names, results):
    rows = ["| attempt | " + " | ".join(KINDS) + " |", "|---|" + "---|" * len(KINDS)]
    for call in names:
        cells = [results.get((call, k), "") for k in KINDS]
        # the name of the call is there to be checked, and is in the first column
        rows.append(f"| {call} | " + " | ".join(c.split(":")[0] for c in cells) + " |")
    return INTRO + "\n".join(rows) + "\n"


def prepare(args, tmp):
    """coffer finds its monitor beside itself."""
    os.chmod(tmp, 0o755)
    shutil.copy(args.coffer, os.path.join(tmp, "coffer"))
    shutil.copy(args.monitor, os.path.join(tmp, "coffer-monitor"))
    args.payload = shutil.copy(args.payload, os.path.join(tmp, "payload.elf"))
    os.chmod(args.payload, 0o644)
    with open(os.path.join(tmp, "precious"), "wb") as f:
        f.write(b"precious")


def run(args):
    with open(args.coffer, "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip("a build with sanitizers has a longer list; the release build is tested")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise Skip("/dev/kvm: no access")
    start_as(args.user)
    if args.user == "unprivileged" and not may_have_namespaces():
        raise Skip("a user may not make namespaces here: a chroot, or a setting of this host")
    with tempfile.TemporaryDirectory(prefix="coffer-attack-") as tmp:
        prepare(args, tmp)
        names, results, failed = everything(args, tmp, args.user)
    if failed:
        return 1
    if "ENXIO" in results.values():
        raise Skip("this host has no io_uring, so the table cannot be compared; every system call failed")
    now = table(names, results)
    if args.write:
        with open(args.table, "w", encoding="utf-8") as f:
            f.write(now)
        return 0
    with open(args.table, encoding="utf-8") as f:
        if f.read() != now:
            print(f"{args.table} says something else; now it is:\n{now}")
            return 1
    return 0


def main():
    a = argparse.ArgumentParser()
    for name in ("coffer", "monitor", "payload", "table"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--as", dest="user", choices=("root", "unprivileged"), required=True)
    a.add_argument("--write", action="store_true")
    try:
        return run(a.parse_args())
    except Skip as x:
        print(f"SKIPPED: {x}")
        return 77


if __name__ == "__main__":
    sys.exit(main())
