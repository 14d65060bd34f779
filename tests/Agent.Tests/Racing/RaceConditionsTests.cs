using Dunlin.Agent.Commands;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Racing;

public sealed class RaceConditionsTests : IDisposable
{
    private readonly Offline _offline = new();
    private readonly Bundle _bundle = Bundle.Open(RepositoryFolder.DemoBundle);

    [Fact]
    public void AVerdictOfBeforeAQuarantineIsOfOtherConditions()
    {
        using var race = Race("");
        var before = race.ConditionsOf(_bundle, race.Enumerate(_bundle, null)).Contenders;
        var failed = before[0].Variant;
        _offline.Quarantine.Add(_bundle.ReleaseId, _bundle.Manifest.Variants.Single(variant => variant.Id == failed), "golden.failed", "It failed.", TimeProvider.System.GetUtcNow());
        Assert.Equal(before.Where(id => id.Variant != failed), race.ConditionsOf(_bundle, race.Enumerate(_bundle, null)).Contenders);
    }

    [Fact]
    public void SoIsOneWithoutAChosenVariant()
    {
        using var race = Race(DemoVariants.Lightest);
        Assert.Equal(DemoVariants.Lightest, Assert.Single(race.ConditionsOf(_bundle, race.Enumerate(_bundle, null)).Contenders).Variant);
    }

    [Fact]
    public void SoIsOneWithoutTheMeterThatDecidesAboutEnergyNow()
    {
        using var race = _offline.CreateRace(new RaceOptions { Objective = Objective.Energy }, new EnergyProbe { Meter = "ina219" });
        var contenders = race.Enumerate(_bundle, null);
        Assert.Equal("ina219", race.ConditionsOf(_bundle, contenders).PowerMeter);
        Assert.Null(race.ConditionsOf(_bundle, contenders, Objective.Latency).PowerMeter);
    }

    [Fact]
    public void SoIsOneOfMoreCoresThanAreLeftAndFreeMemoryThatWaversIsNone()
    {
        var board = _offline.Board with { UsableCores = 4 };
        using var race = new Race(_offline.Heats, _offline.Vetting, _offline.Quarantine, () => board, new RaceOptions(), new EnergyProbe(), TimeProvider.System);
        var before = Conditions();
        board = board with { MemoryAvailableByteCount = 0 };
        Assert.Equal(before, Conditions());
        board = board with { UsableCores = 1 };
        Assert.NotEqual(before, Conditions());
        Assert.All(race.Enumerate(_bundle, null), contender => Assert.Equal(1, contender.Id.Threads));

        Contracts.Artifacts.Digest Conditions() => Fingerprint.Of(race.ConditionsOf(_bundle, race.Enumerate(_bundle, null)));
    }

    [Fact]
    public void WhatOnceLackedMemoryIsAllowedWhenThereIsEnoughAtTheNextLook()
    {
        var free = 0L;
        using var race = new Race(
            _offline.Heats, _offline.Vetting, _offline.Quarantine, () => _offline.Board with { MemoryAvailableByteCount = free, CpuGovernor = $"free-{free}" },
            new RaceOptions(), new EnergyProbe(), TimeProvider.System);
        Assert.All(race.Enumerate(_bundle, null), contender => Assert.Equal(Contenders.NoMemory, contender.Blocked?.ReasonCode));
        free = 1L << 40;
        Assert.Equal("free-1099511627776", race.ConditionsOf(_bundle, race.Enumerate(_bundle, null)).CpuGovernor);
        race.LookAtRest();
        Assert.All(race.Enumerate(_bundle, null), contender => Assert.Null(contender.Blocked));
    }

    public void Dispose() => _offline.Dispose();

    /// <summary>On one thread, where a blocked contender looks like one that may run.</summary>
    private Race Race(string variant) => _offline.CreateRace(new RaceOptions { MaximumThreads = 1, Variant = variant }, new EnergyProbe());
}
