using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Energy;

/// <summary>Row 44 of the promises: energy is honest.</summary>
public sealed class EnergySeriesTests
{
    /// <summary>Seconds; no multiple of the sampling period, which would sample the same phases for ever.</summary>
    private const double SquarePeriod = 1.4142;

    private readonly FakeTimeProvider _time = new();
    private double? _busySeconds = 0;

    /// <summary>Waveform, its integral over 60 s in joules.</summary>
    public static TheoryData<string, double> Waveforms => new()
    {
        { "constant", 5 * 60 },
        { "ramp", 2 * 60 + 0.1 * 60 * 60 / 2 },
        { "sine", 4 * 60 + 2 * (1 - Math.Cos(2 * Math.PI * 1.7 * 60)) / (2 * Math.PI * 1.7) },
        { "square", 2 * 60 + 6 * (Math.Floor(60 / SquarePeriod) * SquarePeriod / 2 + Math.Min(60 % SquarePeriod, SquarePeriod / 2)) },
    };

    [Theory]
    [MemberData(nameof(Waveforms))]
    public void AKnownWaveformIsIntegratedWithinTheStatedUncertainty(string waveform, double joules)
    {
        var series = SeriesOf(seconds => waveform switch
        {
            "constant" => 5,
            "ramp" => 2 + 0.1 * seconds,
            "sine" => 4 + 2 * Math.Sin(2 * Math.PI * 1.7 * seconds),
            _ => seconds % SquarePeriod < SquarePeriod / 2 ? 8 : 2,
        });
        Run(series, 60.0);

        var reading = series.ReadingOf(Origin, _time.GetTimestamp(), 0);
        Assert.NotNull(reading);
        Assert.InRange(reading.Joules, joules * (1 - reading.Uncertainty), joules * (1 + reading.Uncertainty));
        Assert.Equal(60, reading.CoveredSeconds, 3);
        Assert.Equal(0, reading.GapSeconds, 3);
        Assert.Equal(reading.Joules / reading.CoveredSeconds * 86_400, reading.JoulesPerDay, 3);
    }

    [Fact]
    public void ACounterIsReadByDifferences()
    {
        var series = SeriesOf(_ => 0, counter: seconds => 1000 + 7 * seconds);
        Run(series, 10);
        Assert.Equal(70, series.Integrate(Origin, _time.GetTimestamp())!.Value.Joules, 6);
    }

    [Fact]
    public void WindowsThatFollowEachOtherLoseNothing()
    {
        var series = SeriesOf(seconds => 3 + Math.Sin(seconds));
        var sum = 0.0;
        for (var i = 0; i < 20; i++)
        {
            var from = _time.GetTimestamp();
            Run(series, 0.73);
            sum += series.Integrate(from, _time.GetTimestamp())!.Value.Joules;
        }
        Assert.Equal(series.Integrate(Origin, _time.GetTimestamp())!.Value.Joules, sum, 9);
    }

    [Theory]
    [InlineData(10, 3600)]
    [InlineData(1000, 50)]
    public void OfTheLongestWindowNothingIsForgotten(double samplesPerSecond, double seconds)
    {
        var series = SeriesOf(_ => 5, samplesPerSecond: samplesPerSecond);
        Run(series, seconds);
        var reading = series.ReadingOf(Origin, _time.GetTimestamp(), 0)!;
        Assert.Equal(seconds, reading.CoveredSeconds, 3);
        Assert.Equal(0, reading.GapSeconds, 3);
    }

    [Fact]
    public void ASilentSensorLeavesAGapAndNothingIsInventedForIt()
    {
        var series = SeriesOf(seconds => seconds is > 10 and < 14.95 ? null : 5);
        Run(series, 12);
        Assert.Equal("The waveform is silent.", series.Problem);
        Run(series, 8);
        Assert.NotNull(series.Problem);
        var reading = series.ReadingOf(Origin, _time.GetTimestamp(), 200)!;
        Assert.Equal(5.0, reading.GapSeconds, 1);
        Assert.Equal(15.0, reading.CoveredSeconds, 1);
        Assert.Equal(75, reading.Joules, 0);
        Assert.Equal(0.5, reading.JoulesPerInference!.Value, 3); // 5 W at 10 inferences per second
        Assert.Null(series.Integrate(Origin + Ticks(10.5), Origin + Ticks(14.5)));
        Run(series, 6);
        Assert.Null(series.Problem);
    }

    [Fact]
    public void AWindowThatIsMostlyGapSaysNothingPerInference()
    {
        var series = SeriesOf(seconds => seconds > 2 ? null : 5);
        Run(series, 10);
        var reading = series.ReadingOf(Origin, _time.GetTimestamp(), 100)!;
        Assert.Null(reading.JoulesPerInference);
        Assert.Equal(8, reading.GapSeconds, 1);
    }

    [Fact]
    public void ASensorThatNeverAnsweredIsNullAndNotZero() =>
        Assert.Null(SeriesOf(_ => null).ReadingOf(Origin, Origin + Ticks(10), 5));

    [Fact]
    public void WattsThatStandStillWhileTheLoadChangesAreTakenBackAsStuck()
    {
        var series = SeriesOf(seconds => seconds < 5 ? 4 + 0.01 * Math.Sin(seconds) : seconds < 20 ? 4.2 : 6 + 0.01 * Math.Sin(seconds));
        Run(series, 5);
        Run(series, 14.5, busyCores: seconds => seconds < 7 ? 0.1 : 1.8);
        Assert.Contains("stuck", series.Problem, StringComparison.Ordinal);
        Assert.Null(series.Integrate(Origin + Ticks(6), Origin + Ticks(19)));
        Assert.Equal(20, series.Integrate(Origin, Origin + Ticks(5))!.Value.Joules, 0);

        Run(series, 11);
        Assert.Null(series.Problem);
        Assert.Equal(24, series.Integrate(_time.GetTimestamp() - Ticks(4), _time.GetTimestamp())!.Value.Joules, 0);
    }

    [Fact]
    public void ACoarseSensorOnAnEvenLoadIsNotStuck()
    {
        var series = SeriesOf(_ => 4.2);
        Run(series, 60, busyCores: seconds => 1 + 0.05 * Math.Sin(seconds));
        Assert.Null(series.Problem);
        Assert.Equal(252, series.Integrate(Origin, _time.GetTimestamp())!.Value.Joules, 3);
    }

    [Fact]
    public void ACounterThatStandsIsStuckWhateverTheLoad()
    {
        var series = SeriesOf(_ => 0, counter: seconds => Math.Min(seconds, 5));
        Run(series, 20);
        Assert.Contains("stuck", series.Problem, StringComparison.Ordinal);
        Assert.Null(series.Integrate(Origin + Ticks(6), _time.GetTimestamp()));
    }

    [Theory]
    [InlineData(-3.0, "negative")]
    [InlineData(5000.0, "error")]
    [InlineData(double.NaN, "no number")]
    [InlineData(double.PositiveInfinity, "no number")]
    public void NonsenseIsRefusedAndNamed(double watts, string problem)
    {
        var series = SeriesOf(seconds => seconds is > 4 and < 6 ? watts : 5);
        Run(series, 5);
        Assert.Contains(problem, series.Problem, StringComparison.Ordinal);
        Run(series, 11);
        Assert.Null(series.Problem);
        var span = series.Integrate(Origin, _time.GetTimestamp())!.Value;
        Assert.Equal(5, span.MeanWatts, 6);
        Assert.InRange(span.GapSeconds, 1.9, 2.3);
    }

    /// <summary>A sensor that answers each second time, one whose nonsense is never the same, one that is stuck for long.</summary>
    [Theory]
    [InlineData("flickers")]
    [InlineData("raves")]
    [InlineData("sticks")]
    public void WhateverABadSensorDoesItsProblemIsSaidOnce(string what)
    {
        var series = SeriesOf(seconds => what switch
        {
            "flickers" => (int)(seconds * 10 + 0.5) % 2 == 0 ? null : 5 + 0.1 * Math.Sin(seconds),
            "raves" => (int)(seconds * 10 + 0.5) % 3 == 0 ? 2000 + seconds : -1 - seconds,
            _ => 4.2,
        });
        Run(series, 10, busyCores: seconds => seconds % 4);
        var said = series.Problem;
        Assert.NotNull(said);
        for (var i = 0; i < 600; i++)
        {
            Run(series, 0.1, busyCores: _ => i % 4);
            Assert.Equal(said, series.Problem);
        }
    }

    [Fact]
    public void AnotherFaultThatStaysIsSaidInsteadOfTheFirst()
    {
        var series = SeriesOf(seconds => seconds < 5 ? null : -3);
        Run(series, 6);
        Assert.Contains("silent", series.Problem, StringComparison.Ordinal);
        Run(series, 10);
        Assert.Contains("negative", series.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void NoiseAroundZeroIsZeroAndNotNegative()
    {
        var series = SeriesOf(_ => -0.004);
        Run(series, 2);
        Assert.Null(series.Problem);
        Assert.Equal(0, series.Integrate(Origin, _time.GetTimestamp())!.Value.Joules);
    }

    [Theory]
    [InlineData(-1e6)]
    [InlineData(1e9)]
    public void ACounterThatJumpsIsAGapAndNoEnergy(double jump)
    {
        var series = SeriesOf(_ => 0, counter: seconds => 2e6 + 3 * seconds + (seconds >= 5 ? jump : 0));
        Run(series, 10);
        var span = series.Integrate(Origin, _time.GetTimestamp())!.Value;
        Assert.Equal(3, span.MeanWatts, 3);
        Assert.Equal(0.1, span.GapSeconds, 2);
    }

    [Fact]
    public void IdlePowerIsSubtractedWhereItIsKnownAndNetIsNullWhereItIsNot()
    {
        var series = SeriesOf(_ => 5);
        Run(series, 10);
        Assert.Null(series.ReadingOf(Origin, _time.GetTimestamp(), 100)!.NetJoules);
        series.IdleWatts = 3;
        var reading = series.ReadingOf(Origin, _time.GetTimestamp(), 100)!;
        Assert.Equal(20, reading.NetJoules!.Value, 6);
        Assert.Equal(0.2, reading.NetJoulesPerInference!.Value, 6);
        Assert.Equal(0.5, reading.JoulesPerInference!.Value, 6);
        Assert.Null(series.ReadingOf(Origin, _time.GetTimestamp(), 0)!.JoulesPerInference);
    }

    [Fact]
    public void AnEstimateOfIdleProcessesIsZeroJoulesAndNotStuck()
    {
        var series = SeriesOf(_ => 0, counter: seconds => 3 * Math.Min(seconds, 2), method: EnergyMethod.Estimated);
        Run(series, 30);
        Assert.Null(series.Problem);
        Assert.Equal(6, series.Integrate(Origin, _time.GetTimestamp())!.Value.Joules, 6);
    }

    private long Origin { get; } = new FakeTimeProvider().GetTimestamp();

    private long Ticks(double seconds) => (long)(seconds * _time.TimestampFrequency);

    private EnergySeries SeriesOf(Func<double, double?> watts, Func<double, double>? counter = null, EnergyMethod method = EnergyMethod.Measured, double samplesPerSecond = 10)
    {
        var meter = new WaveformMeter(_time, watts)
        {
            Counter = counter,
            Provenance = new PowerProvenance(method, "waveform", EnergyScope.Board, samplesPerSecond, 0.02, "The waveform"),
        };
        var series = new EnergySeries(meter, _time, 1000, () => _busySeconds);
        series.Sample();
        return series;
    }

    private void Run(EnergySeries series, double seconds, Func<double, double>? busyCores = null)
    {
        var period = series.Period.TotalSeconds;
        for (var elapsed = 0.0; elapsed < seconds - 1e-9; elapsed += period)
        {
            var step = Math.Min(period, seconds - elapsed);
            _time.Advance(TimeSpan.FromSeconds(step));
            _busySeconds += step * (busyCores?.Invoke(elapsed) ?? 0.5);
            series.Sample();
        }
    }
}
