#!/usr/bin/env python3
"""Runs coffer with payload guests on this host's /dev/kvm and checks how each run ends.

payload_test.py --coffer FILE --payloads DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm.
"""
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from harness import PATIENCE, Env, Skip, check, main, monitor_of, read_until, tree

TIOCGPTN = 0x80045430  # Linux, asm-generic/ioctls.h
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


@case
def exit_zero(e):
    check(e.status("exit_zero", 0)["how"] == "debug-exit", "how")


@case
def exit_42(e):
    check(e.status("exit_42", 42)["value"] == 42, "value")


@case
def exit_big_is_63_and_the_whole_value_is_in_the_file(e):
    check(e.status("exit_big", 63)["value"] == 0x12345678, "value")


@case
def poweroff(e):
    check(e.status("poweroff", 0)["how"] == "poweroff", "how")


@case
def reset(e):
    check(e.status("reset", 0)["how"] == "reboot", "how")
    check(e.status("reset_kbd", 0)["how"] == "reboot", "how")


@case
def restart_goes_on_until_the_timeout(e):
    st = e.status("reset", 124, "--on-reboot", "restart", "--timeout", "1")
    check(st["how"] == "timeout", st)


@case
def triple_fault(e):
    check(e.status("triple", 80)["how"] == "triple-fault", "how")


@case
def what_kvm_cannot_emulate_is_the_guests_end(e):
    st = e.status("not_emulated", 80)
    check(st["how"] == "not-emulated" and "rip 0x" in st["why"], st)


@case
def smi_without_a_handler(e):
    st = e.status("smi", (0, 80))
    check(st["how"] in ("not-emulated", "triple-fault", "debug-exit"), st)


@case
def pvpanic(e):
    check(e.status("pvpanic", 80)["how"] == "panic", "how")


@case
def timeout(e):
    check(e.status("idle", 124, "--timeout", "0.5")["how"] == "timeout", "how")
    check(e.status("spin", 124, "--timeout", "0.5")["how"] == "timeout", "how")


@case
def memory_sizes(e):
    for size in ("16M", "32M", "2047M"):
        expect = int(size[:-1]) % 64
        p = subprocess.run(
            [e.coffer, "run", "-k", os.path.join(e.payloads, "memory.elf"), "-m", size, "--debug-exit"],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        check(p.returncode == expect, f"-m {size}: {p.returncode}, expected {expect}; {p.stderr.decode()}")


@case
def what_cpus_cannot_address_is_named(e):
    """In words of ours, and before KVM is asked, which says EINVAL."""
    for words, bit, size in (("C-bit 63: this host has ", 63, "16M"), ("has 36 physical address bits", 36, "65G")):
        p = subprocess.run([e.coffer, "run", "-k", os.path.join(e.payloads, "exit_zero.elf"), "-m", size, "--sev",
                            f"emulate-cbit,cbitpos={bit}"], capture_output=True, stdin=subprocess.DEVNULL,
                           timeout=PATIENCE)
        check(p.returncode == 69 and words.encode() in p.stderr, p)


@case
def memory_backings(e):
    for extra in (",prefault", ",shared", ",shared,prefault"):
        p = subprocess.run([e.coffer, "run", "-k", os.path.join(e.payloads, "memory.elf"), "-m", "16M" + extra,
                            "--debug-exit"], capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        check(p.returncode == 16, f"{extra}: {p.returncode}; {p.stderr.decode()}")


@case
def every_port_and_register(e):
    e.status("scan", 0)


@case
def windows_that_move(e):
    e.status("move_windows", 0)


@case
def private_pages_are_out_of_reach_for_devices(e):
    f, image = e.path("s.json"), e.path("image")
    with open(image, "wb") as i:
        i.truncate(1 << 20)
    p = e.run("dma_private", "--sev", "emulate-cbit", "--rng", "-d", image, "--status-file", f, "--timeout", "20")
    if p.returncode == 69:
        raise Skip(p.stderr.decode().strip())
    with open(f, encoding="utf-8") as s:
        c = json.load(s).get("counters")
    if p.returncode == 124 and not c["dma"]["reports"] and os.path.exists("/sys/module/kvm_pvm"):
        raise Skip("kvm_pvm never comes back from a hypercall; the nested machine runs this")
    check(p.returncode == 0, f"exit status {p.returncode}; stderr: {p.stderr.decode()}")
    check(c["rng0"]["broken"] == 4 and c["scsi0"]["broken"] == 2, c)
    check(c["dma"]["refused"] >= 6, c["dma"])
    check(c["dma"]["shared_bytes"] == 5 * 4096, c["dma"])
    with open(image, "rb") as i:
        check(i.read(1024) == b"\x11" * 512 + bytes(512), "the disk")


RAM_KB = 16 << 10
BOUND_KB = 4 << 10  # private memory of all of coffer's processes, beyond the guest's RAM


def private_kb(pid):
    """Of the process, without the mapping that is the guest's RAM; None: it has gone, or we may not look."""
    total, size = 0, 0
    try:
        with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as f:
            for line in f:
                if line.startswith("Size:"):
                    size = int(line.split()[1])
                elif line.startswith("Private_") and size != RAM_KB and "Hugetlb" not in line:
                    total += int(line.split()[1])
    except OSError:
        return None
    return total


def is_sanitized(e):
    with open(e.coffer, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def hostile(e, payload, expect, *args, brief=False):
    """Run a guest that attacks; it must end as it wants to, and not make us grow. @brief: it may be over before
    anybody has looked."""
    image, status = e.path("image"), e.path("status.json")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    p = e.start(payload, "--rng", "-d", image, "--vsock", "cid=77,path=" + e.path("vsock"), "--timeout", "50",
                "--console", "file=" + e.path("console"), "--status-file", status, *args)
    peak = n = 0
    while p.poll() is None:
        kb = [private_kb(q) for q in tree(p.pid)]
        if None not in kb:
            peak, n = max(peak, sum(kb)), n + 1
        time.sleep(0.02)
    with open(status, encoding="utf-8") as f:
        st = json.load(f)
    if st["how"] == "not-emulated":
        raise Skip(f"this KVM emulates instructions, and lacks one: {st['why']}")
    check(p.returncode == expect, f"exit status {p.returncode}, expected {expect}: {st['why']}; {p.stderr.read()}")
    print(f"{payload}: {st['how']}, private memory at most {peak} KiB in {n} looks")
    check(n > 0 or brief, "nobody had a look at its memory")
    check(is_sanitized(e) or peak <= BOUND_KB, f"{peak} KiB of private memory, at most {BOUND_KB} are promised")
    return st


@case
def hostile_ports(e):
    hostile(e, "attack_ports", 0)


@case
def hostile_memory_accesses_and_pci_registers(e):
    hostile(e, "attack_mmio", 0)


@case
def hostile_virtio_drivers(e):
    c = hostile(e, "attack_virtio", 0)["counters"]
    # the attacks got somewhere, and were seen for what they are
    for dev in ("scsi0", "vsock0", "rng0"):
        check(c[dev]["broken"] > 5 and c[dev]["bad_chains"] > 5 and c[dev]["resets"] > 10, c[dev])
    check(c["scsi0"]["requests"] > 5 and c["rng0"]["bytes"] > 0, c)


@case
def hostile_storms_msrs_and_interrupt_controllers(e):
    hostile(e, "attack_cpu", 0)
    hostile(e, "attack_cpu", 0, "-c", "2")


@case
def hostile_software_interrupts(e):
    hostile(e, "attack_int", 0)


@case
def hostile_triple_fault_under_load(e):
    for _ in range(5):
        check(hostile(e, "attack_triple", 80, "-c", "2", brief=True)["how"] == "triple-fault", "how")


@case
def smp(e):
    for n in (1, 2, 5, 63):
        e.status("smp", n, "-c", str(n))
    # 64 is more than an exit status of the guest's own can say
    check(e.status("smp", 63, "-c", "64")["value"] == 64, "64 CPUs")


@case
def console_by_pipe(e):
    p = e.run("hello", stdin=None, input=b"typed\n")
    check(p.returncode == 0, p)
    check(p.stdout.replace(b"\r", b"") == b"hello from the guest\n? typed\nbye\n", p.stdout)


@case
def console_in_a_file(e):
    p = e.run("idle", "--console", "file=" + e.path("log"), "--timeout", "0.5")
    check(p.returncode == 124, p)
    with open(e.path("log"), "rb") as f:
        check(f.read() == b"idle\n", "log")
    p = e.run("idle", "--console", "file=" + e.path("no/such/log"))
    check(p.returncode == 66 and b"no/such/log" in p.stderr, p)


@case
def console_on_a_socket(e):
    path = e.path("con")
    p = e.start("hello", "--console", "unix=" + path)
    s = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + PATIENCE
    while s.connect_ex(path):
        check(time.monotonic() < end and p.poll() is None, "never listened")
        time.sleep(0.01)
    check(os.stat(path).st_mode & 0o777 == 0o600, "socket mode")
    read_until(s.fileno(), b"? ")
    s.send(b"x\n")
    read_until(s.fileno(), b"bye")
    check(p.wait(PATIENCE) == 0, p.stderr.read())
    check(not os.path.exists(path), "the socket is still there")


@case
def a_stale_socket_is_replaced_and_a_used_one_not(e):
    path = e.path("con")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    p = e.start("idle", "--console", "unix=" + path)
    s = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + PATIENCE
    while s.connect_ex(path):
        check(time.monotonic() < end and p.poll() is None, "never listened")
        time.sleep(0.01)
    q = e.run("idle", "--console", "unix=" + path)
    check(q.returncode == 66 and b"in use" in q.stderr, q)
    check(os.path.exists(path), "the second one removed the first one's socket")
    p.kill()
    p.wait()
    with open(path + "2", "w", encoding="ascii"):
        pass
    q = e.run("idle", "--console", "unix=" + path + "2")
    check(q.returncode == 66 and os.path.exists(path + "2"), q)


@case
def console_on_a_pty(e):
    p = e.start("hello", "--console", "pty")
    line = read_until(p.stderr.fileno(), b"\n").decode()
    fd = os.open(line.split()[-1], os.O_RDWR | os.O_NOCTTY)
    read_until(fd, b"? ")
    os.write(fd, b"y\n")
    read_until(fd, b"bye")
    check(p.wait(PATIENCE) == 0, p)
    os.close(fd)


def on_terminal(e, payload, *args):
    """Start coffer as the foreground job of a new terminal."""
    pid, master = pty.fork()
    if pid == 0:
        c = e.cmd(payload, *args)
        os.execv(c[0], c)
    return pid, master


def ptsname(master):
    n = fcntl.ioctl(master, TIOCGPTN, b"\0" * 4)
    return f"/dev/pts/{struct.unpack('I', n)[0]}"


def reap(pid):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        got, st = os.waitpid(pid, os.WNOHANG)
        if got:
            return os.waitstatus_to_exitcode(st)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("did not end")


def lflag(fd):
    return termios.tcgetattr(fd)[3]


@case
def terminal_is_raw_and_comes_back(e):
    keep = []
    for how in ("guest", "ctrl-a", "term", "timeout"):
        args = ("--timeout", "1") if how == "timeout" else ()
        pid, master = on_terminal(e, "hello", *args)
        # the slave must stay open for its settings to be seen afterwards
        slave = os.open(ptsname(master), os.O_RDWR | os.O_NOCTTY)
        keep += [master, slave]
        read_until(master, b"? ")
        check(not lflag(slave) & termios.ECHO and not lflag(slave) & termios.ISIG, "not raw")
        if how == "guest":
            os.write(master, b"z\n")
        elif how == "ctrl-a":
            os.write(master, b"\x01x")
        elif how == "term":
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        st = reap(pid)
        check(st == (124 if how == "timeout" else 0), f"{how}: {st}")
        check(lflag(slave) & termios.ECHO and lflag(slave) & termios.ISIG, f"{how}: terminal not restored")
    for fd in keep:
        os.close(fd)


@case
def ctrl_a_w_types_the_window_size(e):
    pid, master = on_terminal(e, "hello")
    read_until(master, b"? ")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    os.write(master, b"\x01w")
    got = read_until(master, b"bye")
    check(b"stty rows 33 cols 99" in got, got)
    check(reap(pid) == 0, "status")
    os.close(master)


@case
def no_terminal_no_stdin(e):
    p = subprocess.run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *e.cmd("exit_zero")], capture_output=True,
                       timeout=PATIENCE)
    check(p.returncode == 0, p)
    p = subprocess.run(["setsid", *e.cmd("exit_zero")], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=PATIENCE)
    check(p.returncode == 0, p)


@case
def a_guest_that_ignores_the_power_button_is_ended(e):
    f = e.path("s.json")
    p = e.start("idle", "--stop-timeout", "0.5", "--status-file", f)
    read_until(p.stdout.fileno(), b"idle")
    p.send_signal(signal.SIGTERM)
    check(p.wait(PATIENCE) == 124, p.returncode)
    with open(f, encoding="utf-8") as s:
        st = json.load(s)
    check(st["how"] == "timeout" and "stop-timeout" in st["why"], st)


@case
def the_second_signal_does_not_wait(e):
    p = e.start("idle", "--stop-timeout", "600")
    read_until(p.stdout.fileno(), b"idle")
    p.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    p.send_signal(signal.SIGINT)
    check(p.wait(PATIENCE) == 0, p.returncode)


@case
def a_reader_that_stalls_does_not_stop_the_end(e):
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(w, True)
    p = subprocess.Popen(e.cmd("spin", "--stop-timeout", "0.3"), stdin=subprocess.DEVNULL, stdout=w,
                         stderr=subprocess.PIPE)
    time.sleep(0.5)
    p.send_signal(signal.SIGTERM)
    check(p.wait(PATIENCE) == 124, p.returncode)
    os.close(r)
    os.close(w)


@case
def timing_is_printed(e):
    p = e.run("exit_zero", "--print-timing")
    for step in ("configured", "kvm", "memory", "loaded", "vcpus", "entry", "mark", "end"):
        check(b"timing: " + step.encode() in p.stderr, (step, p.stderr))


@case
def nothing_stays_open_over_many_starts(e):
    """100 restarts in one process: descriptors and memory do not grow."""
    p = e.start("reset", "--on-reboot", "restart", "--timeout", "20", "--console", "none")
    seen = []
    time.sleep(0.5)
    for _ in range(30):
        try:
            seen.append(len(os.listdir(f"/proc/{p.pid}/fd")))
        except FileNotFoundError:
            break
        time.sleep(0.05)
    p.kill()
    p.wait()
    check(len(seen) == 30, "ended early")
    check(max(seen) < 40, f"descriptors: {seen}")


def descriptors(pid):
    """What a process has open, by kind: numbers of sockets, CPUs and the like do not count."""
    names = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.add(re.sub(r":\[?\d+\]?", "", os.readlink(f"/proc/{pid}/fd/{fd}")))
        except FileNotFoundError:
            pass  # closed meanwhile
    return names


@case
def a_monitor_holds_what_its_guest_has_and_nothing_else(e):
    """What ARCHITECTURE.md says of a monitor's descriptors."""
    image = e.path("image")
    with open(image, "wb") as i:
        i.truncate(1 << 20)
    p = e.start("idle", "--console", "stdio", "--rng", "-d", image, "--vsock", "cid=77,path=" + e.path("vsock"))
    try:
        read_until(p.stdout.fileno(), b"idle")
        found = descriptors(monitor_of(p.pid))
    except PermissionError as x:
        raise Skip(f"only root may look: {x}") from x
    finally:
        p.kill()
        p.wait()
    kernel = os.path.join(e.payloads, "idle.elf")
    must = {"anon_inode:kvm-vm", "anon_inode:kvm-vcpu", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "socket", image}
    may = {"anon_inode:[io_uring]", "anon_inode:[timerfd]", "/dev/null", "pipe", kernel}
    check(must <= found, f"not there: {must - found}")
    check(found <= must | may, f"what is it for? {found - must - may}")


def private_kib(pid):
    """Private memory of a process, as the kernel adds it up."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        rows = [line.split() for line in f]
    return sum(int(r[1]) for r in rows if r[0] in ("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:"))


@case
def a_running_vm_costs_at_most_what_the_plan_says(e):
    """All of RAM is touched (prefault), with devices; the plan is an upper bound, and not a wild one."""
    image = e.path("image")
    with open(image, "wb") as i:
        i.truncate(1 << 20)
    options = ["-m", "64M,prefault", "-c", "4", "-d", image, "--rng", "--console", "stdio"]
    kernel = ["-k", os.path.join(e.payloads, "idle.elf")]
    plan = json.loads(subprocess.run([e.coffer, "plan", "--json", *kernel, *options],
                                     capture_output=True, check=True).stdout)
    p = subprocess.Popen([e.coffer, "run", *kernel, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    try:
        read_until(p.stdout.fileno(), b"idle")
        used = sum(private_kib(pid) for pid in tree(p.pid)) * 1024
    finally:
        p.kill()
        p.wait()
    bound = plan["ram"] + plan["monitor"] + plan["devices"]
    print(f"private memory {used >> 10} KiB, plan {bound >> 10} KiB of {plan['total'] >> 10} KiB")
    check(used >= 64 << 20, f"{used} bytes are less than the guest's RAM")
    if not os.environ.get("COFFER_SANITIZED"):
        check(used <= bound, f"{used} bytes, and the plan says {bound}")
    check(bound <= used + (8 << 20), f"{used} bytes, and the plan says as much as {bound}")


if __name__ == "__main__":
    sys.exit(main(CASES, Env))
