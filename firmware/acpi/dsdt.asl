/*
 * firmware/acpi/dsdt.asl - the machine q35-coffer-1 as ACPI describes it.
 *
 * The same bytes for every VM: CPUs are in the MADT, and what is behind a PCI
 * function is found by reading its configuration space, so nothing here
 * depends on disks, network cards, memory or CPUs. An interpreter runs this
 * while the guest boots: every object has to earn its place.
 *
 * The numbers are those of mem/mem_map.h; tests/unit/test_acpi_tables.c
 * compares them.
 */
DefinitionBlock ("", "DSDT", 2, "COFFER", "Q35COFR1", 0x00000001)
{
    // How to power off: SLP_TYP of S5 for PM1a_CNT and PM1b_CNT
    // (ACPI 6.4, 7.4.2 "\_Sx"). There is no other sleep state.
    Name (\_S5, Package () { 0, 0, 0, 0 })

    Scope (\_SB)
    {
        // Addresses that are taken and belong to no other device. Linux uses
        // ECAM only when it finds it in a PNP0C02 (PCI Firmware 3.3, 4.1.2
        // "MCFG Table Description").
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xE0000000, 0x10000000)  // ECAM
                IO (Decode16, 0x0600, 0x0600, 0x01, 0x80)  // ACPI PM block
            })
        }

        // The host bridge: where Linux finds bus 0 and the windows that BARs
        // may use. Interrupts are MSI-X only, so there is no _PRT.
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, Zero)
            Name (_SEG, Zero)
            Name (_BBN, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0x0000, 0x0000, 0x0000, 0x0000, 0x0001)
                // Configuration mechanism #1, used by the bridge itself; the
                // windows leave it out. 0xcf9 resets the machine.
                IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    EntireRange,
                    0x0000, 0x0000, 0x0CF7, 0x0000, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    EntireRange,
                    0x0000, 0x0D00, 0xFFFF, 0x0000, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0x00000000, 0xC0000000, 0xDFFFFFFF, 0x00000000, 0x20000000)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    Cacheable, ReadWrite,
                    0x0000000000000000, 0x0000008000000000,
                    0x0000008FFFFFFFFF, 0x0000000000000000,
                    0x0000001000000000)
            })

            // Which PCIe features the system may use by itself (PCI Firmware
            // 3.3, 4.5.1 "_OSC Interface for PCI Host Bridge Devices"): all
            // it may ask for, except SHPC hot-plug, which is not there.
            Method (_OSC, 4)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (Arg0 != ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766"))
                {
                    CDW1 |= 0x04                    // unrecognized UUID
                    Return (Arg3)
                }
                If (Arg1 != One)
                {
                    CDW1 |= 0x08                    // unrecognized revision
                }
                If (SizeOf (Arg3) >= 12)
                {
                    CreateDWordField (Arg3, 8, CDW3)
                    Local0 = CDW3 & 0x3D
                    If (Local0 != CDW3)
                    {
                        CDW1 |= 0x10                // some bits were masked
                    }
                    CDW3 = Local0
                }
                Return (Arg3)
            }

            // The LPC bridge, and behind it what PNP drivers look for.
            Device (ISA)
            {
                Name (_ADR, 0x001F0000)

                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, One)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
                        IRQNoFlags () { 4 }
                    })
                }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
                        IRQNoFlags () { 8 }
                    })
                }
            }
        }
    }
}
