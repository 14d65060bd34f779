using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Energy;

public sealed class EnergySamplerTests
{
    private static readonly TimeProvider Time = TimeProvider.System;

    [Fact]
    public async Task TheHostedLoopSamplesAndAnswersForAWindowAndForTheRace()
    {
        using var sampler = SamplerOf(new WaveformMeter(Time, _ => 5) { Provenance = Fast(EnergyMethod.Measured) }, Estimate(seconds => 2 * seconds));
        var from = Time.GetTimestamp();
        await sampler.StartAsync(TestContext.Current.CancellationToken);
        // Where the machine stands still for longer than a gap may be, that stretch is not covered, and a later one is.
        var to = from;
        await Eventually.TrueAsync(() => sampler.Joules(from, to = Time.GetTimestamp())?.CoveredSeconds > 0.5, "half a second is covered");
        await sampler.StopAsync(TestContext.Current.CancellationToken);

        var span = sampler.Joules(from, to)!.Value;
        Assert.Equal(EnergyMethod.Measured, span.Provenance.Method);
        Assert.Equal(5, span.MeanWatts, 6);

        var window = sampler.WindowOf(from, to, 10);
        Assert.Equal(EnergyMethod.Measured, window.Measured!.Method);
        Assert.Equal(EnergyMethod.Estimated, window.Estimated!.Method);
        Assert.Equal(2, window.Estimated.JoulesPerDay / 86_400, 3);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1.4)]
    public async Task EachMeterIsReadAtItsOwnRateWithTicksThatComeEarlyAndLate(double samplesPerSecond)
    {
        var clock = new JitteringClock { Late = TimeSpan.FromMilliseconds(2) };
        var (measuredCount, estimatedCount) = (0, 0);
        var measured = new WaveformMeter(clock, _ => 1) { Counter = _ => Interlocked.Increment(ref measuredCount), Provenance = Fast(EnergyMethod.Measured) with { SamplesPerSecond = samplesPerSecond } };
        var estimated = new WaveformMeter(clock, _ => 1) { Counter = _ => Interlocked.Increment(ref estimatedCount), Provenance = Fast(EnergyMethod.Estimated) with { SamplesPerSecond = 1 } };
        using var sampler = new EnergySampler(new DiscoveredMeters(measured, estimated, []), new PowerOptions(), clock, () => null, NullLogger<EnergySampler>.Instance);
        var start = clock.GetTimestamp();
        await sampler.StartAsync(TestContext.Current.CancellationToken);
        for (var tick = 1; tick <= 40; tick++)
        {
            clock.Late = TimeSpan.FromMilliseconds(tick % 2 == 0 ? 0 : 2);
            if (tick > 1) clock.Advance(TimeSpan.FromSeconds(1 / samplesPerSecond));
            await Eventually.TrueAsync(() => Volatile.Read(ref measuredCount) == tick, () => $"{tick} readings; there are {measuredCount}");
        }

        var seconds = clock.GetElapsedTime(start).TotalSeconds;
        Assert.InRange(Volatile.Read(ref estimatedCount), seconds - 1, seconds + 2);
        await sampler.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task IdlePowerIsMeasuredOnceBeforeAnythingRuns()
    {
        using var sampler = SamplerOf(new WaveformMeter(Time, _ => 2.5) { Provenance = Fast(EnergyMethod.Measured) }, null);
        await sampler.StartAsync(TestContext.Current.CancellationToken);
        Assert.Null(sampler.IdleWatts);
        await Eventually.TrueAsync(async () => await sampler.MeasureIdleAsync(TimeSpan.FromSeconds(0.3), TestContext.Current.CancellationToken) is not null, "idle power is known");
        Assert.Equal(2.5, sampler.IdleWatts!.Value, 6);
        await sampler.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AMeterThatIsSlowerThanWhatIsLeftOfTheMeasurementIsNotWaitedForForever()
    {
        var clock = new EarlyClock();
        foreach (var milliseconds in new[] { 1.5, 2.5, 5 })
        {
            var meter = new WaveformMeter(clock, _ =>
            {
                for (var start = clock.GetTimestamp(); clock.GetElapsedTime(start).TotalMilliseconds < milliseconds;) Thread.SpinWait(100);
                return 2.5;
            }) { Provenance = Fast(EnergyMethod.Measured) };
            using var sampler = new EnergySampler(new DiscoveredMeters(meter, null, []), new PowerOptions(), clock, () => null, NullLogger<EnergySampler>.Instance);
            var measuredCount = 0;
            // A measurement in which the machine stood still has a gap, and tells nothing.
            await Eventually.TrueAsync(async () =>
            {
                var idle = await sampler.MeasureIdleAsync(TimeSpan.FromSeconds(0.05), TestContext.Current.CancellationToken).WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
                return idle is not null && ++measuredCount == 20;
            }, () => $"20 measurements end with a result; {measuredCount} have");
        }
    }

    [Fact]
    public async Task WithoutASensorThereIsAnEstimateOrNothingAndNeverZero()
    {
        using var estimating = SamplerOf(null, Estimate(seconds => seconds));
        var from = Time.GetTimestamp();
        Assert.Null(estimating.WindowOf(from, Time.GetTimestamp(), 1).Measured);
        Assert.Null(await estimating.MeasureIdleAsync(TimeSpan.Zero, TestContext.Current.CancellationToken));
        Assert.False(estimating.TryUseIdle(2));

        using var blind = SamplerOf(null, null);
        Assert.Null(blind.Joules(from, Time.GetTimestamp()));
        var window = blind.WindowOf(from, Time.GetTimestamp(), 1);
        Assert.Null(window.Measured);
        Assert.Null(window.Estimated);
    }

    [Fact]
    public async Task TheFeatureIsRegisteredWithTheCallersOptions()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(new PowerOptions { Kind = PowerKind.Hwmon, Channel = "VDD_SOC", IdleWatts = 1.5 });
        builder.Services.AddPower(recorded.Root);
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var sampler = host.Services.GetRequiredService<EnergySampler>();
        Assert.Equal("ina3221 (VDD_SOC)", sampler.Measured!.Description);
        Assert.Equal(1.5, sampler.IdleWatts);
        Assert.Equal(49.312, host.Services.GetRequiredService<ThermalWatch>().TakeWindow().Celsius);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    private static EnergySampler SamplerOf(IPowerMeter? meter, IPowerMeter? estimate) =>
        new(new DiscoveredMeters(meter, estimate, []), new PowerOptions(), Time, () => null, NullLogger<EnergySampler>.Instance);

    private static WaveformMeter Estimate(Func<double, double> counter) =>
        new(Time, _ => 0) { Counter = counter, Provenance = Fast(EnergyMethod.Estimated) };

    private static PowerProvenance Fast(EnergyMethod method) =>
        new(method, method == EnergyMethod.Estimated ? "cpu-time" : "ina219", EnergyScope.Board, 50, 0.02, "The waveform");

    /// <summary>Its timers end a little early, as those of .NET may.</summary>
    private sealed class EarlyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.FromMilliseconds(1) ? dueTime - TimeSpan.FromMilliseconds(1) : dueTime, period);
    }

    /// <summary>Its timers are punctual, and whoever looks at it then finds it later or not.</summary>
    private sealed class JitteringClock : FakeTimeProvider
    {
        public TimeSpan Late { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + Late.Ticks;
    }
}
