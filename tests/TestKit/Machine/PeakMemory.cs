using System.Globalization;

namespace Dunlin.TestKit.Machine;

/// <summary>The greatest resident memory of this process (VmHWM).</summary>
public static class PeakMemory
{
    /// <summary>Forgets the peak so far; what is resident now is the least that <see cref="ByteCount"/> will say.</summary>
    /// <returns>What is resident now.</returns>
    public static long Reset()
    {
        File.WriteAllText("/proc/self/clear_refs", "5");
        return ByteCount();
    }

    /// <summary>Since the last reset.</summary>
    public static long ByteCount() =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal))[6..^2].Trim(), CultureInfo.InvariantCulture) * 1024;
}
