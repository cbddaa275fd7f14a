#!/usr/bin/env python3
"""Is every entry of the system call lists needed? Takes one away at a time: some run must then fail because of it.

seccomp_test.py --coffer FILE --monitor FILE --gen FILE --unit FILE --payloads DIR [--host] [KIND:INDEX...]

Entries that depend on the host are left out, but with --host, and so are those that need what this host has not; they
are named.
Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import concurrent.futures
import ctypes
import errno
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from firmware_test import storing_firmware
from plan_test import bzimage
from stage0_launch_test import EXIT, tiny_kernel

PATIENCE = 60
JOBS = 3


class Skip(Exception):
    pass


class Run:
    """coffer with a monitor whose lists lack an entry, in a directory of its own."""

    def __init__(self, args, tmp):
        self.args, self.tmp = args, tmp
        shutil.copy(args.coffer, self.path("coffer"))
        shutil.copy(args.coffer + "-sim", self.path("coffer-sim"))
        shutil.copy(args.monitor, self.path("coffer-monitor"))
        shutil.copy(args.unit, self.path("unit"))
        with open(self.path("image"), "wb") as f:
            f.truncate(1 << 20)

    def path(self, name):
        return os.path.join(self.tmp, name)

    def without(self, kind, index):
        for program in ("coffer-monitor", "unit"):
            subprocess.run([self.args.gen, "without", kind, str(index), self.path(program)], check=True)

    def start(self, payload, *args, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([self.path("coffer"), "run", "-k", os.path.join(self.args.payloads, payload + ".elf"),
                                 "-m", "16M", "--debug-exit", "--timeout", "20", *args],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)

    def put(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def coffer(self, *args, **kw):
        return subprocess.Popen([*args, "-m", "6M", "--debug-exit", "--timeout", "20"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.tmp, **kw)

    def end(self, p, expect=0, data=None):
        out, err = p.communicate(data, timeout=PATIENCE)
        if p.returncode != expect:
            raise AssertionError(f"exit status {p.returncode}: {err.decode(errors='replace').strip()}")
        return out


def plain(r):
    r.end(r.start("exit_zero"))


def console(r):
    """The prompt has no line end: it comes when the loop has waited for one."""
    p = r.start("hello", stdin=subprocess.PIPE)
    prompt = b""
    while b"? " not in prompt:
        more = os.read(p.stdout.fileno(), 4096)
        if not more:
            break
        prompt += more
    out = r.end(p, data=b"typed\n")
    if b"typed" not in out:
        raise AssertionError(f"console: {out}")


def interrupts(r):
    """Of the console's input, and of the power button."""
    p = r.start("interrupts", stdin=subprocess.PIPE)
    p.stdout.readline()
    r.end(p, data=b"x")
    p = r.start("interrupts")
    p.stdout.readline()
    p.terminate()
    r.end(p, 2)


def slow_console(r):
    """A reader that lets the guest wait."""
    p = r.start("attack_ports")
    time.sleep(0.5)
    r.end(p)


def two_cpus(r):
    r.end(r.start("smp", "-c", "2"), 2)


def power_button(r):
    p = r.start("poweroff")
    r.end(p)
    p = r.start("idle", "--stop-timeout", "0.3")
    p.stdout.readline()
    p.terminate()
    r.end(p, 124)


def pause(r):
    sock = r.path("api")
    p = r.start("spin", "--api", sock)
    while not os.path.exists(sock) and p.poll() is None:
        time.sleep(0.01)
    for verb in ("pause", "resume", "metrics", "pause", "resume", "kill"):
        subprocess.run([r.path("coffer"), "ctl", sock, verb], capture_output=True, timeout=PATIENCE, check=False)
    r.end(p)


def disk_rng_vsock(r):
    r.end(r.start("attack_virtio", "--rng", "-d", r.path("image"), "--vsock", "cid=77,path=" + r.path("vsock")))


class Program(ctypes.Structure):  # struct sock_fprog
    _fields_ = [("len", ctypes.c_ushort), ("insn", ctypes.c_char_p)]


LIBC = ctypes.CDLL(None, use_errno=True)  # before there are threads
NO_IO_URING = b"".join(struct.pack("<HBBI", *i) for i in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x50000 | errno.ENOSYS), (0x06, 0, 0, 0x7fff0000)))


def without_io_uring():
    """In the child: io_uring_setup() is ENOSYS, as on hosts that forbid it."""
    filter_ = Program(len(NO_IO_URING) // 8, NO_IO_URING)
    if LIBC.prctl(38, 1, 0, 0, 0) or LIBC.prctl(22, 2, ctypes.byref(filter_)):  # NO_NEW_PRIVS, SECCOMP
        raise OSError(ctypes.get_errno(), "seccomp")


def disk_of_threads(r):
    """What a host without io_uring gets."""
    r.end(r.start("devices", "-d", r.path("image"), preexec_fn=without_io_uring))
    r.end(r.start("attack_virtio", "-d", r.path("image"), preexec_fn=without_io_uring))


def gave_up(r):
    """An instruction that KVM does not emulate; where it was is told."""
    r.end(r.start("not_emulated"), 80)


def good_driver(r):
    """A guest that uses its devices as it should."""
    def serve():
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(r.path("vsock_1000"))
        listener.listen()
        listener.settimeout(PATIENCE)
        try:
            while True:
                s, _ = listener.accept()
                s.sendall(s.recv(100))
                s.recv(100)
                s.close()
        except OSError:
            pass
    threading.Thread(target=serve, daemon=True).start()
    while not os.path.exists(r.path("vsock_1000")):
        time.sleep(0.01)
    r.end(r.start("devices", "--rng", "-d", r.path("image"), "--vsock", "cid=77,path=" + r.path("vsock")))


def tap(r):
    """Two queues; the kernel sends something by itself when the interface comes up."""
    name = f"cseccomp{os.getpid() % 10000}x{threading.get_ident() % 97}"[:15]
    made = subprocess.run(["ip", "tuntap", "add", "dev", name, "mode", "tap", "multi_queue", "vnet_hdr"],
                          capture_output=True, check=False)
    if made.returncode:
        raise Skip("no tap: " + made.stderr.decode())
    try:
        subprocess.run(["ip", "link", "set", name, "up"], check=True, capture_output=True)
        p = r.start("devices", "--net", f"tap={name},queues=2")
        subprocess.run(["ip", "addr", "add", "192.0.2.1/24", "dev", name], check=False, capture_output=True)
        while p.poll() is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:  # something for the guest to receive
                u.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                u.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
                try:
                    u.sendto(b"hello", ("192.0.2.255", 9))
                except OSError:
                    pass
            time.sleep(0.05)
        r.end(p)
    finally:
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


def passt(r):
    """Frames over a stream, there and back."""
    path = r.path("passt")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(PATIENCE)

    def echo():
        try:
            s, _ = listener.accept()
            while data := s.recv(65536):
                s.sendall(data)
        except OSError:
            pass
    t = threading.Thread(target=echo, daemon=True)
    t.start()
    try:
        r.end(r.start("devices", "--net", "passt=" + path))
    finally:
        listener.close()


def firmware(r):
    """It gets a kernel through fw_cfg; it writes to its store of variables."""
    coffer, kernel = r.path("coffer"), r.put("kernel", tiny_kernel(EXIT))
    stage0 = os.path.join(os.path.dirname(r.args.coffer), "firmware/stage0.bin")
    r.end(r.coffer(coffer, "run", "--firmware", stage0, "-k", kernel), 42)
    r.end(r.coffer(coffer, "run", "--firmware", r.put("fw", storing_firmware()), "--nvram", r.put("vars", bytes(4096))),
          42)


def sev(r):
    """A launch that waits for its owner, and then ends well."""
    coffer, api = r.path("coffer"), r.path("api")
    p = r.coffer(coffer, "sim", "--", coffer, "run", "--protect", "sev", "--firmware", "none", "-k",
                 r.put("kernel", bzimage()), "--paused", "--api", api)
    while p.poll() is None and subprocess.run([coffer, "ctl", api, "measurement"], capture_output=True,
                                              timeout=PATIENCE, check=False).returncode:
        time.sleep(0.05)
    subprocess.run([coffer, "ctl", api, "resume"], capture_output=True, timeout=PATIENCE, check=False)
    r.end(p)


def unit(r):
    p = subprocess.run([r.path("unit")], capture_output=True, timeout=PATIENCE, check=False)
    if p.returncode:
        raise AssertionError("unit.seccomp_filter: " + " ".join(
            l for l in p.stderr.decode().splitlines() if "FAILED" in l)[:300])


# Those that take seconds come last: most entries are missed before.
SCENARIOS = [plain, unit, console, good_driver, pause, power_button, tap, passt, two_cpus, firmware, sev, gave_up,
             interrupts, slow_console, disk_rng_vsock, disk_of_threads]


def judge(args, kind, index, call, detail):
    """Why the entry is needed, or None."""
    with tempfile.TemporaryDirectory(prefix="coffer-seccomp-") as tmp:
        os.chmod(tmp, 0o755)
        r = Run(args, tmp)
        if kind:
            r.without(kind, index)
        for scenario in SCENARIOS:
            try:
                scenario(r)
            except Skip:
                pass
            except (AssertionError, subprocess.TimeoutExpired) as x:
                # a vain attempt to end the process is a kill, without a name
                named = re.search(rf"\({kind}\) made the system call {call}\(", str(x))
                how = "reported" if named else "failed"
                return f"{scenario.__name__}: {how}: {str(x)[:200]}"
            finally:
                for name in ("passt", "api", "vsock", "vsock_1000"):
                    if os.path.exists(r.path(name)):
                        os.unlink(r.path(name))
    return None


# What needs the nested machine's KVM or its vhost-vsock: tests/nested/cases/seccomp.sh takes these away.
ELSEWHERE = re.compile(r"VHOST_|fixed, shared")


def main():
    a = argparse.ArgumentParser()
    for name in ("coffer", "monitor", "gen", "unit", "payloads"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--host", action="store_true", help="also entries that depend on the host")
    a.add_argument("only", nargs="*")
    a = a.parse_args()
    with open(a.coffer, "rb") as f:
        if b"__asan_init" in f.read():
            print("SKIPPED: a build with sanitizers has a longer list; the release build is tested")
            return 77
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIPPED: /dev/kvm: no access")
        return 77
    why = judge(a, "", 0, "", "")
    if why:
        print(f"FAILED with all entries: {why}")
        return 1
    lines = subprocess.run([a.gen, "list"], capture_output=True, check=True, text=True).stdout.splitlines()
    failed, jobs = 0, []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for line in lines:
            kind, index, call, host, detail = line.split("\t")
            label = f"{kind} {call} {detail}".strip()
            if a.only and f"{kind}:{index}" not in a.only:
                continue
            if host == "host" and not a.host:
                print(f"not tried (host): {label}")
            elif ELSEWHERE.search(label):
                print(f"not tried (nested): {label}")
            else:
                jobs.append((label, host, pool.submit(judge, a, kind, index, call, detail)))
        for label, host, job in jobs:
            why = job.result()
            if host == "host" and not why:
                print(f"not needed on this host: {label}", flush=True)
                continue
            print(f"{'needed' if why else 'NOT NEEDED'}: {label}: {why}", flush=True)
            failed += not why
    print(f"{len(jobs)} entries tried, {failed} not needed by any run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
