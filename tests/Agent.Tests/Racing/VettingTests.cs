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
    private readonly TemporaryFolder _folder = new();

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
        Assert.Null(quarantine.WhyNot(bundle.ReleaseId, variant));
        Assert.Null(files.ReadQuarantine().Value);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Root));

        disk.Free();
        vetted = await vetting.VetAsync(bundle, variant, Providers.Cpu, TestContext.Current.CancellationToken);
        Assert.True(vetted.Session is not null, vetted.Reason);
    }

    [Fact]
    public async Task ACheckThatIsBrokenOffLeavesNothingHalfMade()
    {
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        var cache = new ModelCache(_folder.Sub("cache"));
        using var vetting = new Vetting(
            new HeatRunner(TestChildren.Host(_folder), NullLogger<HeatRunner>.Instance, TimeProvider.System), cache,
            new Quarantined(files, NullLogger<Quarantined>.Instance), BoardFacts.Read(), TimeProvider.System);
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        using var stop = new CancellationTokenSource();
        var checking = vetting.VetAsync(bundle, bundle.Manifest.Variants[0], Providers.Cpu, stop.Token);
        while (!checking.IsCompleted && !Directory.EnumerateFileSystemEntries(cache.Root).Any()) await Task.Delay(1, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => checking);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Root));
    }

    [Theory]
    [InlineData(10_000_000L, 400, 40, 60)]
    [InlineData(300_000_000L, 400, 68, 600)]
    [InlineData(4_100_000_000L, 400, 900, 4000)]
    [InlineData(long.MaxValue, 5000, 900, 4000)]
    public void ASlowBoardMayEndAGoldenCheckAndAHungOneIsEnded(long macs, int samples, double needed, double atMost)
    {
        var variant = Bundle.Open(RepositoryFolder.DemoBundle).Manifest.Variants[0] with { Macs = macs };
        var limits = Vetting.GoldenLimitsOf(variant, samples);
        Assert.InRange(limits.WallTime.TotalSeconds, needed, atMost);
        Assert.InRange(limits.CpuTime.TotalSeconds, needed, atMost);
    }

    [Fact]
    public void AModelThatTakesLongToLoadIsGivenCpuTimeForThatAndALargeOneRoomForItsSavedForm()
    {
        var variant = Bundle.Open(RepositoryFolder.DemoBundle).Manifest.Variants[0];
        var limits = Vetting.LimitsOf(variant with
        {
            Blob = variant.Blob with { Size = 600_000_000 },
            Limits = variant.Limits with { LoadMilliseconds = 90_000 },
        });
        Assert.Equal((95, 95), (limits.WallTime.TotalSeconds, limits.CpuTime.TotalSeconds));
        Assert.InRange(limits.FileByteCount, 600_000_000, 1_200_000_000);
    }

    public void Dispose() => _folder.Dispose();
}
