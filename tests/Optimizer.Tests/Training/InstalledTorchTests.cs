using System.Reflection;
using Dunlin.Optimizer.Tests.Search;
using Dunlin.Optimizer.Training;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

namespace Dunlin.Optimizer.Tests.Training;

/// <summary>The optimizer where <c>./build.sh install</c> puts it: with libtorch in a folder beside its own.</summary>
public sealed class InstalledTorchTests(SearchLab lab) : IClassFixture<SearchLab>
{
    [Fact]
    public async Task AnInstalledOptimizerTrainsWithTheTorchBesideItAndLeavesThatAsItIs()
    {
        Torch.Require();
        var (program, torch, home) = (lab.Out("lib/dunlin-optimizer"), Directory.CreateDirectory(lab.Out("lib/torch")).FullName, lab.Out("home"));
        RepositoryFolder.Copy(Path.GetDirectoryName(RepositoryFolder.Program("Optimizer", "dunlin-optimizer"))!, program);
        foreach (var library in Directory.EnumerateFiles(NativeFolder("LibTorchPackage")))
            File.CreateSymbolicLink(Path.Combine(torch, Path.GetFileName(library)), library);
        var shim = Path.Combine(torch, "libLibTorchSharp.so");
        File.Copy(Path.Combine(NativeFolder("TorchSharpPackage"), "libLibTorchSharp.so"), shim);
        var before = await File.ReadAllBytesAsync(shim, TestContext.Current.CancellationToken);

        await Tool.SucceedAsync(
            "env", "--unset=XDG_CACHE_HOME", $"HOME={home}", Path.Combine(program, "dunlin-optimizer"),
            "train", "--data", lab.Data, "--input-shape", "1x1x28x28", "--widths", "8", "--epochs", "1", "--limit", "64", "--batch-size", "32", "--out", lab.Out("installed.onnx"));

        var link = Assert.Single(Directory.GetFiles(home, "libtorch_cpu.so", SearchOption.AllDirectories));
        Assert.Equal(Path.Combine(torch, "libtorch_cpu.so"), File.ResolveLinkTarget(link, returnFinalTarget: false)!.FullName);
        Assert.Equal(before, await File.ReadAllBytesAsync(shim, TestContext.Current.CancellationToken));
    }

    private static string NativeFolder(string package) => Path.Combine(
        typeof(TorchLibrary).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == package).Value!, "runtimes", "linux-x64", "native");
}
