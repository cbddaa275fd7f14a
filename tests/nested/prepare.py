"""Puts together everything one run of the outer machine needs."""
import os
import shutil
import tempfile
from pathlib import Path

import efi_disk
import images
import kernels
import tools
from cases import Case
from kernels import Unavailable
from machine import Images, find_qemu
from outside import Outside

HERE = Path(__file__).resolve().parent
UKI_CMDLINE = "console=ttyS0 quiet cryptomgr.notests coffer.uki=1"
EFI_CMDLINE = ("console=ttyS0 quiet cryptomgr.notests coffer.load=efivarfs "
               "coffer.test=efi.sh")
GUEST_TOOLS = ("guest-tool", "guest-facts")
SCRATCH_BYTES = 1 << 30
FIRMWARE = ["bios-256k.bin", "bios-microvm.bin", "linuxboot_dma.bin",
            "kvmvapic.bin", "pvh.bin"]
FIRMWARE_DIRS = [Path("/usr/share/seabios"), Path("/usr/share/qemu")]


def fetch(cache: Path):
    """What the machine has from packages that are not installed, into the cache."""
    kernels.find("cloud", cache)
    kernels.vmlinux(kernels.find("generic", cache), cache)
    images.boot_loaders(cache)
    tools.ovmf(cache)
    tools.passt(cache)
    tools.guest_archive(cache, [])


class Prepared:
    """Images in a temporary directory: `with Prepared(...) as p:`."""

    def __init__(self, cache: Path, chosen: list[Case],
                 programs: dict[str, Path],
                 extra: dict[str, Path] | None = None,
                 inner_qemu: bool = False):
        """
        @chosen      the cases that can be run
        @programs    path in the machine -> program, copied with its libraries
        @extra       path in the machine -> file, copied as it is
        @inner_qemu  add Debian's QEMU as a VMM to compare with
        """
        self.cache = cache
        self.cases = chosen
        self.programs = programs
        self.extra = extra or {}
        self.inner_qemu = inner_qemu
        self.dir = Path(tempfile.mkdtemp(prefix="nested-images-"))
        self.images = None
        self.outside = None

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def scratch(self, name: str) -> Path:
        """A fresh ext4 disk of its own for one machine."""
        out = self.dir / f"scratch-{name}"
        images.make_ext4(out, SCRATCH_BYTES)
        return out

    def _guests(self, tree: images.RootTree):
        own = [images.compile_static(HERE / f"inner/{name}.c", self.dir / name)
               for name in GUEST_TOOLS]
        streams = images.compile_static(HERE / "stream-tool.c",
                                        self.dir / "stream-tool")
        tree.copy(streams, "usr/bin/stream-tool")
        tree.program(tools.passt(self.cache), "usr/bin/passt")
        for flavour in kernels.FLAVOURS:
            k = kernels.find(flavour, self.cache)
            initrd = self.dir / f"initrd-{flavour}"
            initrd.write_bytes(images.inner_initrd(k, own))
            tree.copy(k.bzimage, f"nested/kernels/{flavour}", 0o644)
            tree.copy(initrd, f"nested/initrds/{flavour}", 0o644)
            if flavour == "generic":
                tree.copy(kernels.vmlinux(k, self.cache),
                          "nested/kernels/vmlinux", 0o644)
            else:
                with_tools = self.dir / "initrd-devices"
                with_tools.write_bytes(initrd.read_bytes() +
                                       tools.guest_archive(self.cache,
                                                           [streams]))
                tree.copy(with_tools, "nested/initrds/devices", 0o644)
                uki = self.dir / "uki"
                images.unified_kernel(k, initrd, UKI_CMDLINE, self.cache, uki)
                tree.copy(uki, "nested/kernels/uki", 0o644)

    def _efi(self, tree: images.RootTree):
        """A guest that looks at its firmware's variables, and a disk with it."""
        kernel = kernels.find("cloud", self.cache)
        tests = images.Cpio()
        tests.file("tests/efi.sh", (HERE / "inner/run/efi.sh").read_bytes())
        initrd, disk = self.dir / "initrd-efi", self.dir / "disk-efi"
        initrd.write_bytes(images.inner_initrd(
            kernel, [self.dir / name for name in GUEST_TOOLS], more_modules=("efivarfs",))
            + tests.finish())
        efi_disk.make(kernel, initrd, EFI_CMDLINE, self.cache, disk)
        tree.copy(initrd, "nested/firmware/initrd", 0o644)
        tree.copy(disk, "nested/firmware/disk", 0o644)

    def _qemu(self, tree: images.RootTree):
        tree.program(find_qemu(), "usr/bin/qemu-system-x86_64")
        for name in FIRMWARE:
            for d in FIRMWARE_DIRS:
                if (d / name).exists():
                    tree.copy(d / name, f"usr/share/qemu/{name}", 0o644)
                    break
            else:
                raise Unavailable(f"no {name}: apt-get install "
                                  "qemu-system-data seabios")

    def _build(self):
        find_qemu()  # say so before anything is downloaded
        outer = kernels.find("cloud", self.cache)
        tree = images.RootTree(self.dir / "root")
        for f in ("init", "lib.sh", "devices.sh", "jail.sh", "sev.sh", "attack.sh", "case_main.sh"):
            tree.copy(HERE / "outer" / f, f"nested/{f}")
        for f in {c.script for c in self.cases}:
            tree.copy(f, f"nested/cases/{f.name}")
        for name in ("host-tool", "api-storm"):
            tree.copy(images.compile_static(HERE / f"outer/{name}.c",
                                            self.dir / name),
                      f"usr/bin/{name}")
        tree.modules(outer, images.OUTER_MODULES, images.OUTER_BOOT_MODULES)
        self._guests(tree)
        for dst, src in self.programs.items():
            tree.program(src, dst)
        for dst, src in self.extra.items():
            tree.copy(src, dst, os.stat(src).st_mode & 0o777)
        if any("ovmf" in c.needs for c in self.cases):
            for f in tools.ovmf(self.cache):
                tree.copy(f, f"nested/firmware/{f.name}", 0o644)
            self._efi(tree)
        if self.inner_qemu:
            self._qemu(tree)
        initramfs = self.dir / "initramfs"
        initramfs.write_bytes(images.outer_initramfs(outer))
        root = self.dir / "root.img"
        tree.make_ext4(root)
        shutil.rmtree(tree.path)
        self.images = Images(outer, initramfs, root)
        self.outside = Outside({
            "cloud": outer.bzimage, "devices": self.dir / "initrd-devices",
            **{"stage0": p.resolve() for dst, p in self.extra.items()
               if dst.endswith("/stage0.bin")}})
