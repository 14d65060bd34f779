using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Commands;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Race;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Racing;

/// <summary>A variant that passed its checks and breaks the process in which all race.</summary>
public sealed class BrokenHeatTests : IDisposable
{
    private readonly Offline _offline = new();
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task TheCulpritIsFoundAndQuarantinedAndTheOthersRace()
    {
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        var heats = new HeatRunner(TestChildren.Host(_folder), NullLogger<HeatRunner>.Instance, TimeProvider.System);
        var options = new RaceOptions { MaximumThreads = 1, BudgetSeconds = 1 };
        using var race = new Race(heats, _offline.Vetting, _offline.Quarantine, () => _offline.Board, options, new EnergyProbe(), TimeProvider.System);
        var contenders = race.Enumerate(bundle, null);
        var culprit = contenders.First(contender => contender.Blocked is null).Variant;
        var (input, output) = (bundle.Manifest.Input, bundle.Manifest.Output);
        var hostile = TestChildren.Session(_folder, HostileModels.DividesTooFar(input.Tensor, output.Tensor, channels: 1, input.Width)).ModelPath;
        var known = contenders.Select(contender => Vetting.SpecOf(bundle, contender.Variant, contender.Id) is var session && contender.Variant == culprit
            ? Passed(culprit, session with { ModelPath = hostile })
            : Passed(contender.Variant, session)).ToList();

        var verdict = await race.RunAsync(new RaceRequest(bundle, contenders) { Known = known }, TestContext.Current.CancellationToken);

        Assert.NotNull(verdict.Winner);
        var failed = Assert.Single(verdict.Contenders, contender => contender.Outcome == ContenderOutcome.Failed);
        Assert.True((culprit.Id, ChildExitCodes.Crashed) == (failed.Contender.Variant, failed.ReasonCode), failed.ToString());
        Assert.Contains($"Variant '{culprit.Id}' broke down in its heat", failed.Reason, StringComparison.Ordinal);
        Assert.NotNull(_offline.Quarantine.WhyNot(bundle.ReleaseId, culprit));
        Assert.All(bundle.Manifest.Variants.Where(variant => variant != culprit), variant => Assert.Null(_offline.Quarantine.WhyNot(bundle.ReleaseId, variant)));
    }

    [Fact]
    public async Task AHeatThatTheKernelKillsForWantOfMemoryIsHeldAgainstNoVariant()
    {
        var bundle = Bundle.Open(RepositoryFolder.DemoBundle);
        var heats = new HeatRunner(TestChildren.Host(_folder), NullLogger<HeatRunner>.Instance, TimeProvider.System);
        using var race = new Race(heats, _offline.Vetting, _offline.Quarantine, () => _offline.Board, new RaceOptions { MaximumThreads = 1, BudgetSeconds = 1 }, new EnergyProbe(), TimeProvider.System);
        var contenders = race.Enumerate(bundle, null);
        var known = contenders.Select(contender => Passed(contender.Variant, Vetting.SpecOf(bundle, contender.Variant, contender.Id))).ToList();

        var running = race.RunAsync(new RaceRequest(bundle, contenders) { Known = known }, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => Heats().Count > 0, "the first heat runs");
        foreach (var heat in Heats()) heat.Kill();
        var verdict = await running;

        Assert.NotNull(verdict.Winner);
        Assert.All(bundle.Manifest.Variants, variant => Assert.Null(_offline.Quarantine.WhyNot(bundle.ReleaseId, variant)));
    }

    public void Dispose()
    {
        _offline.Dispose();
        _folder.Dispose();
    }

    private List<Process> Heats() => [.. Process.GetProcesses().Where(process => new FileInfo($"/proc/{process.Id}/cwd").LinkTarget?.StartsWith(_folder.Path, StringComparison.Ordinal) == true)];

    private static Vetted Passed(Contracts.Manifests.Variant variant, Contracts.Worker.SessionSpec session) => new(variant, session, null, HeatOutcome.Answered, "It passed.");
}
