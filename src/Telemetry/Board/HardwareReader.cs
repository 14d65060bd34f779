using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Board;

/// <summary>What the board is: from the device tree, DMI and <c>/proc</c>.</summary>
internal sealed class HardwareReader(SysFiles files, ProcessReader processes)
{
    private const string Unknown = "unknown";

    /// <summary>What firmware says when its maker said nothing.</summary>
    private static readonly string[] Placeholders = ["To Be Filled By O.E.M.", "To be filled by O.E.M.", "System Product Name", "System manufacturer", "Default string", "Not Specified", "None", "O.E.M."];

    // Arm Ltd (implementer 0x41), MIDR part numbers; names as in util-linux's lscpu.
    private static readonly Dictionary<int, string> ArmParts = new()
    {
        [0xd03] = "Cortex-A53", [0xd04] = "Cortex-A35", [0xd05] = "Cortex-A55", [0xd07] = "Cortex-A57", [0xd08] = "Cortex-A72",
        [0xd09] = "Cortex-A73", [0xd0a] = "Cortex-A75", [0xd0b] = "Cortex-A76", [0xd0c] = "Neoverse-N1", [0xd0d] = "Cortex-A77",
        [0xd40] = "Neoverse-V1", [0xd41] = "Cortex-A78", [0xd42] = "Cortex-A78AE", [0xd49] = "Neoverse-N2", [0xd4f] = "Neoverse-V2",
    };

    public Hardware Read()
    {
        var cpu = ReadCpuModel() ?? Unknown;
        return new Hardware
        {
            Model = ReadBoardModel() ?? cpu,
            CpuModel = cpu,
            Architecture = RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => "x64", Architecture.Arm64 => "arm64", var other => $"{other}" },
            Cores = ReadCoreCount() ?? Environment.ProcessorCount,
            MemoryByteCount = processes.ReadTotalByteCount() ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Kernel = files.ReadText("/proc/sys/kernel/osrelease") ?? Unknown,
            OperatingSystem = ReadOperatingSystem() ?? Unknown,
        };
    }

    private string? ReadBoardModel()
    {
        if ((files.ReadText("/proc/device-tree/model") ?? files.ReadText("/sys/firmware/devicetree/base/model")) is { } tree) return tree;
        if (ReadDmi("product_name") is not { } product) return null;
        return ReadDmi("sys_vendor") is { } vendor && !product.StartsWith(vendor, StringComparison.OrdinalIgnoreCase) ? $"{vendor} {product}" : product;
    }

    private string? ReadDmi(string field) =>
        files.ReadText($"/sys/class/dmi/id/{field}") is { } text && !Placeholders.Contains(text) ? text : null;

    private string? ReadCpuModel()
    {
        if (ReadCpuField("model name") is { } name) return name;
        if (ReadHex("CPU implementer") is not { } implementer || ReadHex("CPU part") is not { } part) return null;
        return implementer == 0x41 && ArmParts.TryGetValue(part, out var known) ? known : $"Arm implementer 0x{implementer:x2} part 0x{part:x3}";
    }

    private int? ReadHex(string key) =>
        ReadCpuField(key) is { } text && text.StartsWith("0x", StringComparison.Ordinal)
            && int.TryParse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The field of the fastest cluster, which the kernel lists last.</summary>
    private string? ReadCpuField(string key)
    {
        foreach (var line in files.ReadLines("/proc/cpuinfo").Reverse())
            if (line.Split(':', 2) is [var name, var value] && name.Trim() == key && value.Trim() is { Length: > 0 } text)
                return text;
        return null;
    }

    private int? ReadCoreCount()
    {
        var count = files.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        return count > 0 ? count : null;
    }

    private string? ReadOperatingSystem()
    {
        foreach (var path in (string[])["/etc/os-release", "/usr/lib/os-release"])
            foreach (var line in files.ReadLines(path))
                if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
                    return line["PRETTY_NAME=".Length..].Trim().Trim('"', '\'');
        return null;
    }
}
