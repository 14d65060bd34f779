using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Children;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Racing;

public sealed class VettingTests : IDisposable
{
    private readonly Folder _folder = new();

    [Fact]
    public async Task AFullDiskIsNotHeldAgainstTheModelLeavesNothingAndAFreedOneTakesIt()
    {
        using var disk = TinyDisk.Mount();
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        var quarantine = new Quarantined(files, NullLogger<Quarantined>.Instance);
        var cache = new ModelCache(Path.Combine(disk.Path, "cache"));
        cache.Recover();
        using var vetting = new Vetting(
            new HeatRunner(TestChildren.Host(_folder), NullLogger<HeatRunner>.Instance, TimeProvider.System), cache, quarantine, BoardFacts.Read(), TimeProvider.System);
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        var variant = bundle.Manifest.Variants.Single(v => v.Id == DemoVariants.Lightest);

        disk.Fill();
        var vetted = await vetting.VetAsync(bundle, variant, Providers.Cpu, TestContext.Current.CancellationToken);
        Assert.Equal("cache.unwritable", vetted.Code);
        Assert.Contains("has no room for it. Make room in the state directory.", vetted.Reason, StringComparison.Ordinal);
        Assert.Null(quarantine.WhyNot(variant));
        Assert.Null(files.ReadQuarantine().Value);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Root));

        disk.Free();
        vetted = await vetting.VetAsync(bundle, variant, Providers.Cpu, TestContext.Current.CancellationToken);
        Assert.True(vetted.Session is not null, vetted.Reason);
    }

    public void Dispose() => _folder.Dispose();
}
