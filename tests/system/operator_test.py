#!/usr/bin/env python3
"""What operators do to a run besides giving it options: limits, wrappers, files that are used twice.

operator_test.py --coffer FILE --payloads DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm.
"""
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

from harness import PATIENCE, Env, check, main, read_until

CASES = {}
NOBODY = 65534


def case(f):
    CASES[f.__name__] = f
    return f


def limited(what, n):
    return lambda: resource.setrlimit(what, (n, n))


@case
def the_same_signal_again_at_once_is_no_second_one(e):
    """timeout(1) sends it twice, and so do shells; of systemd's two the other is SIGHUP."""
    def ends(again):
        p = e.start("idle", "--stop-timeout", "0.3")
        read_until(p.stdout.fileno(), b"idle")
        p.send_signal(signal.SIGTERM)
        time.sleep(0.01)
        p.send_signal(again)
        return p.wait(PATIENCE)

    for again in (signal.SIGTERM, signal.SIGHUP):
        # A busy host may make more of the 10 ms than may be between them.
        check(any(ends(again) == 124 for _ in range(5)), again)
    p = e.start("idle", "--stop-timeout", "600")
    read_until(p.stdout.fileno(), b"idle")
    p.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    p.send_signal(signal.SIGTERM)
    check(p.wait(PATIENCE) == 0, p.returncode)


@case
def what_was_ignored_at_the_start_is_ignored(e):
    """nohup(1) ignores SIGHUP, and a script's shell SIGINT for what it starts in the background."""
    for sig in (signal.SIGHUP, signal.SIGINT):
        p = e.start("idle", "--stop-timeout", "0", preexec_fn=lambda s=sig: signal.signal(s, signal.SIG_IGN))
        read_until(p.stdout.fileno(), b"idle")
        p.send_signal(sig)
        time.sleep(0.2)
        check(p.poll() is None, f"{sig.name} has ended it")
        p.terminate()
        check(p.wait(PATIENCE) == 0, p.returncode)


@case
def a_limit_of_processes_ends_a_start(e):
    """KVM starts a thread of its own (Linux 6.13), and a vCPU that never runs does not say why. Root has no limit."""
    os.chmod(e.tmp, 0o755)
    coffer, _, payload = (shutil.copy(f, e.tmp) for f in (
        e.coffer, e.coffer + "-monitor", os.path.join(e.payloads, "exit_zero.elf")))
    args = [coffer, "run", "-k", payload, "-m", "16M", "--debug-exit", "--jail", "off"]
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": [os.stat("/dev/kvm").st_gid]} if os.getuid() == 0 else {}
    # The leak check has a thread of its own, too.
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")

    def start(n):
        return subprocess.run(args, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, env=env,
                              preexec_fn=limited(resource.RLIMIT_NPROC, n), **who)

    check(start(resource.getrlimit(resource.RLIMIT_NPROC)[0]).returncode == 0, "without a limit")
    check(start(0).returncode == 69, "without a single process")
    for n in range(8):
        p = start(n)
        why = p.stderr.decode()
        check(p.returncode == 0 or p.returncode == 69 and "temporarily unavailable" in why, (n, p))
        check("KVM" not in why or "ulimit -u" in why, why)


@case
def a_limit_of_file_sizes_ends_no_run(e):
    log, status, sock = e.path("log"), e.path("status"), e.path("sock")
    small = limited(resource.RLIMIT_FSIZE, 0)
    p = e.run("first", "--console", "file=" + log, "--status-file", status, "--api", sock, preexec_fn=small)
    check(p.returncode == 69 and b"--status-file" in p.stderr, p)
    check(not os.listdir(e.tmp) or os.listdir(e.tmp) == ["log"], os.listdir(e.tmp))
    p = e.run("idle", "--timeout", "0.3", "--console", "file=" + log, preexec_fn=small)
    check(p.returncode == 124 and b"is lost" in p.stderr, p)


@case
def a_console_file_is_emptied_when_the_guest_starts_and_not_before(e):
    log, disk = e.path("log"), e.path("disk")
    with open(log, "w", encoding="ascii") as f:
        f.write("yesterday\n")
    p = e.run("exit_zero", "--console", "file=" + log, "--disk", e.path("none"))
    check(p.returncode == 66, p)
    check(os.path.getsize(log) == 10, "a start that failed has emptied it")
    p = e.run("exit_zero", "--console", "file=" + log)
    check(p.returncode == 0, p)
    with open(log, encoding="ascii") as f:
        check("yesterday" not in f.read(), "what was there is still there")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    for how in ("", ",ro"):
        p = e.run("exit_zero", "--disk", disk + how, "--console", "file=" + disk)
        check(p.returncode == 66 and b"--console" in p.stderr, p)
        check(os.path.getsize(disk) == 1 << 20, "the disk is gone")


@case
def a_console_pipe_waits_for_its_reader(e):
    """And can be told not to: a signal is not lost with it."""
    pipe = e.path("pipe")
    os.mkfifo(pipe)
    p = e.start("idle", "--console", "file=" + pipe)
    time.sleep(0.2)
    check(p.poll() is None, p.returncode)
    p.terminate()
    check(p.wait(PATIENCE) == 66 and b"nobody reads" in p.stderr.read(), p.returncode)
    p = e.start("hello", "--console", "file=" + pipe, "--timeout", "0.3")
    with open(pipe, "rb") as f:
        check(b"hello" in f.read(), "its output")
    check(p.wait(PATIENCE) == 124, p.returncode)


@case
def sockets_of_the_next_guest_are_left_alone(e):
    """Who starts it may have removed the names, and the last guest takes its time to end."""
    paths = [e.path(n) for n in ("api", "console", "vsock")]
    options = ("--api", paths[0], "--console", "unix=" + paths[1], "--vsock", "cid=3,path=" + paths[2],
               "--stop-timeout", "0")

    def start():
        p, end = e.start("idle", *options), time.monotonic() + PATIENCE
        while not all(map(os.path.exists, paths)):
            check(p.poll() is None and time.monotonic() < end, "never listened")
            time.sleep(0.01)
        return p

    last = start()
    for name in paths:
        os.unlink(name)
    after = start()
    for p, left in ((last, paths), (after, [])):
        p.terminate()
        check(p.wait(PATIENCE) == 0, p.returncode)
        check([n for n in paths if os.path.exists(n)] == left, left)


@case
def it_runs_wherever_it_was_installed(e):
    """cmake --install --prefix, of a build that was configured for another one."""
    built, payload = os.path.dirname(e.coffer), os.path.join(e.payloads, "exit_42.elf")
    for name, to in (("coffer", "bin"), ("coffer-monitor", "libexec/coffer"), ("firmware/stage0.bin", "share/coffer")):
        os.makedirs(e.path(to))
        shutil.copy(os.path.join(built, name), e.path(to))
    coffer = e.path("bin/coffer")
    p = subprocess.run([coffer, "run", "-k", payload, "-m", "16M", "--debug-exit"], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=PATIENCE)
    check(p.returncode == 42, p)
    p = subprocess.run([coffer, "run", "-k", payload, "--firmware", "stage0"], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=PATIENCE)
    check(b"bzImage" in p.stderr, p)


if __name__ == "__main__":
    sys.exit(main(CASES, Env))
