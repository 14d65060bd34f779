using System.Diagnostics;
using System.Reflection;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class VersionRequirementTests
{
    private static readonly string Shim = Path.Combine(
        typeof(TorchLibrary).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "TorchSharpPackage").Value!,
        "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    [Fact]
    public void OneDemandIsWeakenedByOneByteAndNothingElseChanges()
    {
        Assert.SkipUnless(File.Exists(Shim), $"'{Shim}' was not restored");
        var before = File.ReadAllBytes(Shim);
        var after = before.ToArray();

        Assert.Equal(1, VersionRequirement.Weaken(after, "GLIBCXX_3.4.32"));

        var changed = Enumerable.Range(0, before.Length).Where(i => before[i] != after[i]).ToList();
        Assert.Single(changed);
        Assert.Equal(before[changed[0]] | 2, after[changed[0]]);
        Assert.Equal(0, VersionRequirement.Weaken(after, "GLIBCXX_9.9.99"));
    }

    [Fact]
    public void ReadelfSeesTheWeakFlag()
    {
        Assert.SkipUnless(File.Exists(Shim) && File.Exists("/usr/bin/readelf"), "the shim or readelf (binutils) is absent");
        var library = File.ReadAllBytes(Shim);
        VersionRequirement.Weaken(library, "GLIBCXX_3.4.32");
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, library);
        using var readelf = Process.Start(new ProcessStartInfo("/usr/bin/readelf", ["-VW", path]) { RedirectStandardOutput = true })!;
        var output = readelf.StandardOutput.ReadToEnd();
        readelf.WaitForExit();
        File.Delete(path);
        Assert.Contains("Name: GLIBCXX_3.4.32  Flags: WEAK", output);
    }

    [Fact]
    public void AFileThatIsNoLibraryIsRefused()
    {
        Assert.Throws<InvalidDataException>(() => VersionRequirement.Weaken(new byte[100], "GLIBC_2.0"));
        Assert.Throws<InvalidDataException>(() => VersionRequirement.Weaken([], "GLIBC_2.0"));
    }
}
