using Dunlin.Agent.Energy;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Energy;

public sealed class IdlePowerTests : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Lines<IdlePower> _log = new();
    private readonly StateFiles _files;

    public IdlePowerTests() => _files = new StateFiles(new StateLayout(Path.Combine(_folder.Path, "state-of-a-device")));

    [Fact]
    public async Task IdlePowerOfTheFirstStartIsUsedAfterARestartAlthoughThenSomethingRuns()
    {
        Assert.Equal(2.5, await LearnAsync(new SteadyMeter(_time, 2.5)));

        using var meter = new SteadyMeter(_time, 9);
        using var sampler = meter.Sampler();
        await new IdlePower(sampler, _files, _time, _log).LearnAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2.5, sampler.IdleWatts!.Value, 6);
        Assert.Contains(_log.All, line => line.Contains("and kept", StringComparison.Ordinal));

        var from = _time.GetTimestamp();
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(Step);
            _ = sampler.Joules(from, _time.GetTimestamp());
        }

        var window = sampler.WindowOf(from, _time.GetTimestamp(), 10).Measured!;
        Assert.Equal((9 - 2.5) * window.CoveredSeconds, window.NetJoules!.Value, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"schema\":\"dunlin.idle-power.v1\",\"watts\":1}")]
    [InlineData("flip")]
    public async Task ADamagedRecordIsMeasuredAnewAndReplaced(string damage)
    {
        await LearnAsync(new SteadyMeter(_time, 2.5));
        var content = await File.ReadAllTextAsync(_files.Layout.IdlePower, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _files.Layout.IdlePower, damage == "flip" ? content.Replace("\"watts\":2", "\"watts\":1", StringComparison.Ordinal) : damage, TestContext.Current.CancellationToken);
        Assert.Equal(3, await LearnAsync(new SteadyMeter(_time, 3)));
        Assert.Contains(_log.All, line => line.Contains("measured anew", StringComparison.Ordinal));
        Assert.Equal(3, _files.ReadIdlePower().Value!.Watts, 6);
    }

    [Fact]
    public async Task TheIdlePowerOfAnotherMeterIsNoUse()
    {
        await LearnAsync(new SteadyMeter(_time, 2.5));
        Assert.Equal(4, await LearnAsync(new SteadyMeter(_time, 4, "ina219 at 0x41")));
        Assert.Equal("ina219 at 0x41", _files.ReadIdlePower().Value!.Meter);
    }

    /// <summary>A board that boots, then one that rests.</summary>
    [Fact]
    public async Task IdlePowerOfABusyBoardIsForThisRunOnly()
    {
        Assert.Equal(6, await LearnAsync(new SteadyMeter(_time, 6) { BusySeconds = Busy(cores: 0.15) }));
        Assert.False(File.Exists(_files.Layout.IdlePower));
        Assert.Contains(_log.All, line => line.Contains("for this run only", StringComparison.Ordinal));

        Assert.Equal(3, await LearnAsync(new SteadyMeter(_time, 3) { BusySeconds = Busy(cores: 0.05) }));
        Assert.Equal(3, _files.ReadIdlePower().Value!.Watts, 6);
    }

    [Fact]
    public async Task AConfiguredIdlePowerWinsAndIsNotKept()
    {
        using var sampler = new SteadyMeter(_time, 5).Sampler(new PowerOptions { IdleWatts = 1.5 });
        await new IdlePower(sampler, _files, _time, _log).LearnAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1.5, sampler.IdleWatts);
        Assert.False(File.Exists(_files.Layout.IdlePower));
    }

    [Fact]
    public async Task WhereTheRecordCannotBeWrittenItIsKnownForThisRun()
    {
        _folder.File("state-of-a-device", "a file where the folder should be"u8.ToArray());
        Assert.Equal(2.5, await LearnAsync(new SteadyMeter(_time, 2.5)));
        Assert.Contains(_log.All, line => line.Contains("not kept", StringComparison.Ordinal));
    }

    /// <summary>Seconds that it answers, seconds that a start may lose by it.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 2.2)]
    public async Task AMeterThatFailsCostsAStartLittleAndLeavesNoRecord(double answers, double atMost)
    {
        var from = _time.GetTimestamp();
        var meter = new SteadyMeter(_time, 2.5);
        meter.Fails = () => _time.GetElapsedTime(from).TotalSeconds >= answers;
        Assert.Null(await LearnAsync(meter));
        Assert.InRange(_time.GetElapsedTime(from).TotalSeconds, 0, atMost);
        Assert.False(File.Exists(_files.Layout.IdlePower));
        Assert.Contains(_log.All, line => line.Contains("net joules are null", StringComparison.Ordinal) && line.Contains("does not answer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AMeterThatShowsNothingAtAllCostsHalfASecond()
    {
        var from = _time.GetTimestamp();
        Assert.Equal(0, await LearnAsync(new SteadyMeter(_time, 0)));
        Assert.InRange(_time.GetElapsedTime(from).TotalSeconds, 0, 0.6);
        Assert.False(File.Exists(_files.Layout.IdlePower));
    }

    public void Dispose() => _folder.Dispose();

    private Func<double?> Busy(double cores)
    {
        var from = _time.GetTimestamp();
        return () => cores * _time.GetElapsedTime(from).TotalSeconds;
    }

    /// <summary>One start of the agent with nothing running; the clock goes on as soon as the meter has been read.</summary>
    private async Task<double?> LearnAsync(SteadyMeter meter)
    {
        using var sampler = meter.Sampler();
        await sampler.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => meter.ReadCount > 0, "the sampler reads");
        var learning = new IdlePower(sampler, _files, _time, _log).LearnAsync(TestContext.Current.CancellationToken);
        while (!learning.IsCompleted)
        {
            var read = meter.ReadCount;
            _time.Advance(Step);
            await Eventually.TrueAsync(() => meter.ReadCount > read || learning.IsCompleted, "the sampler reads again");
        }

        await learning;
        var idle = sampler.IdleWatts;
        await sampler.StopAsync(TestContext.Current.CancellationToken);
        return idle is { } watts ? Math.Round(watts, 6) : null;
    }
}
