using System.Globalization;
using SharpFuzz;

namespace Dunlin.Torture.Fuzzing;

/// <summary>What afl-fuzz starts, and what is done with what it finds.</summary>
internal static class FuzzProgram
{
    private const int LargestInputByteCount = 1 << 20;

    /// <summary>Serves inputs to afl-fuzz until it has enough. The target's assembly must be instrumented.</summary>
    public static int Serve(FuzzTarget target)
    {
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            if (bytes.Length <= LargestInputByteCount) target.Run(bytes.ToArray());
        });
        return 0;
    }

    public static int WriteSeeds(FuzzTarget target, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (index, seed) in target.Seeds().Index()) File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"seed-{index:000}")), seed);
        return 0;
    }

    /// <summary>Runs every file of a folder through the target: the kept corpus, or what afl-fuzz found.</summary>
    /// <returns>How many files there were; the first that breaks the target ends it with its exception.</returns>
    public static int Replay(FuzzTarget target, string folder)
    {
        var files = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).ToList();
        foreach (var file in files)
        {
            try
            {
                target.Run(File.ReadAllBytes(file));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"'{file}' breaks the target '{target.Name}': {e.Message}", e);
            }
        }

        return files.Count;
    }
}
