using System.Device.I2c;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit.Machine;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Power;

public sealed class PowerMetersTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private RegisterChip? _chip;
    private string? _adc;

    [Fact]
    public void AJetsonIsMeasuredAtItsInputAndNotAtItsRailsAgain()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var found = Discover(new PowerOptions(), recorded.Root);
        Assert.Equal((EnergyMethod.Measured, "hwmon", EnergyScope.Board), Kind(found.Meter!));
        Assert.Equal("ina3221 (VDD_IN)", found.Meter!.Provenance.Description);
        Assert.True(found.Meter.TryRead(out var sample));
        Assert.Equal(6.0384, sample.Watts!.Value, 9);
        Assert.Equal("cpu-time", found.Estimate!.Provenance.Source);
    }

    [Fact]
    public void TheShuntVoltagesAndTheSumOfCurrentsOfAnIna3221AreNoRailOfIt()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        for (var channel = 1; channel <= 3; channel++) recorded.Remove($"sys/class/hwmon/hwmon3/in{channel}_label");
        var meter = Discover(new PowerOptions(), recorded.Root).Meter!;
        Assert.Equal("ina3221 (channel 1 + channel 2 + channel 3)", meter.Provenance.Description);
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(5.032 * (1.2 + 0.3 + 0.28), sample.Watts!.Value, 9);
    }

    [Fact]
    public void AChannelCanBeNamed()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var found = Discover(new PowerOptions { Channel = "VDD_SOC" }, recorded.Root);
        Assert.True(found.Meter!.TryRead(out var sample));
        Assert.Equal(5.032 * 0.28, sample.Watts!.Value, 9);
        Assert.Equal(EnergyScope.Rail, found.Meter.Provenance.Scope);
    }

    [Fact]
    public void APcIsReadByRaplWithItsCounterUnwrappedAndItsGraphicsCardLeftOut()
    {
        using var recorded = new RecordedBoard(RecordedBoard.DesktopPc);
        var found = Discover(new PowerOptions(), recorded.Root);
        Assert.Equal((EnergyMethod.Derived, "rapl", EnergyScope.Package), Kind(found.Meter!));
        Assert.Equal(["/sys/class/powercap/intel-rapl:0/energy_uj"], found.Meter!.GuardedFiles);
        Assert.Contains("hwmon: none found.", found.Reasons);
        Assert.True(found.Meter!.TryRead(out var before));
        recorded.Write("sys/class/powercap/intel-rapl:0/energy_uj", "10671150");
        Assert.True(found.Meter.TryRead(out var after));
        Assert.Equal(11, after.CumulativeJoules!.Value - before.CumulativeJoules!.Value, 6);
    }

    [Fact]
    public void ARaspberryPi5IsReadThroughItsPmic()
    {
        using var recorded = new RecordedBoard(RecordedBoard.RaspberryPi5);
        _adc = """
                 3V7_WL_SW_A current(0)=0.09759900A
                   3V3_SYS_A current(1)=0.04879950A
                  VDD_CORE_A current(7)=1.07500000A
                 3V7_WL_SW_V volt(8)=3.70000000V
                   3V3_SYS_V volt(9)=3.31000000V
                  VDD_CORE_V volt(15)=0.72000000V
                     EXT5V_V volt(24)=5.15524000V
                      BATT_V volt(25)=0.00488400V
            """;
        var found = Discover(new PowerOptions(), recorded.Root);
        Assert.Equal((EnergyMethod.Derived, "rpi5-pmic", EnergyScope.Rail), Kind(found.Meter!));
        Assert.True(found.Meter!.TryRead(out var sample));
        Assert.Equal(0.097599 * 3.7 + 0.0487995 * 3.31 + 1.075 * 0.72, sample.Watts!.Value, 9);

        _adc = "error=1 error_msg=\"Command not registered\"";
        Assert.False(found.Meter.TryRead(out _));
        Assert.Contains("no rail with current and voltage", found.Meter.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void ABoardWithoutAnySensorHasOnlyAnEstimateAndSaysWhy()
    {
        using var recorded = new RecordedBoard(RecordedBoard.BareMachine);
        var found = Discover(new PowerOptions { WattsPerCore = 2 }, recorded.Root);
        Assert.Null(found.Meter);
        Assert.Equal((EnergyMethod.Estimated, "cpu-time", EnergyScope.Process), Kind(found.Estimate!));
        Assert.True(found.Estimate!.TryRead(out var sample));
        Assert.Equal(8, sample.CumulativeJoules);
        Assert.Contains("rapl: none found.", found.Reasons);
    }

    [Fact]
    public void NothingIsReadWhereThePowerMeterIsSwitchedOff()
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var found = Discover(new PowerOptions { Kind = PowerKind.None }, recorded.Root);
        Assert.Null(found.Meter);
        Assert.Null(found.Estimate);
        Assert.Null(Discover(new PowerOptions { WattsPerCore = 0 }, recorded.Root).Estimate);
    }

    [Fact]
    public void AnInaSensorIsUsedOnlyWhenNamed()
    {
        using var recorded = new RecordedBoard(RecordedBoard.BareMachine);
        Discover(new PowerOptions(), recorded.Root);
        Assert.Null(_chip);
    }

    [Fact]
    public void ASensorThatWasNamedButIsAbsentIsKeptWithItsProblem()
    {
        var found = PowerMeters.Discover(new PowerOptions { Kind = PowerKind.Ina219, I2cBus = 250 }, _time);
        Assert.NotNull(found.Meter);
        Assert.False(found.Meter.TryRead(out _));
        Assert.Contains("/dev/i2c-250", found.Meter.Problem, StringComparison.Ordinal);
        Assert.Contains("dtparam=i2c_arm=on", found.Meter.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PowerKind.Hwmon, "sys/class/hwmon/hwmon0/name: ina226\nsys/class/hwmon/hwmon0/power1_input: 2500000", "ina226 (channel 1)")]
    [InlineData(PowerKind.Iio, "sys/bus/iio/devices/iio:device0/name: ina226\nsys/bus/iio/devices/iio:device0/in_power2_raw: 200", "ina226 (in_power2_raw)")]
    [InlineData(PowerKind.Rapl, "sys/class/powercap/intel-rapl:0/name: package-0\nsys/class/powercap/intel-rapl:0/energy_uj: 7", "RAPL of 1 CPU package")]
    public void AMeterThatWasNamedIsAProblemUntilItComes(PowerKind kind, string tree, string description)
    {
        using var board = new RecordedBoard(RecordedBoard.BareMachine);
        var found = Discover(new PowerOptions { Kind = kind }, board.Root);
        var meter = found.Meter!;
        Assert.False(meter.TryRead(out _));
        Assert.Contains("set another Power:Kind", meter.Problem, StringComparison.Ordinal);
        Assert.Contains($"{kind.ToString().ToLowerInvariant()}: {meter.Problem}", found.Reasons);
        var (method, source, _) = Kind(meter);

        foreach (var line in tree.Split('\n')) board.Write(line[..line.IndexOf(": ", StringComparison.Ordinal)], line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]);
        Assert.False(meter.TryRead(out _), "it is not looked for at each reading");
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(meter.TryRead(out _), meter.Problem);
        Assert.Null(meter.Problem);
        Assert.Equal((method, source, description), (meter.Provenance.Method, meter.Provenance.Source, meter.Provenance.Description));
    }

    [Theory]
    [InlineData(PowerKind.Hwmon)]
    [InlineData(PowerKind.Auto)]
    public void AChannelThatIsNotThereIsToldWithThoseThatAre(PowerKind kind)
    {
        using var recorded = new RecordedBoard(RecordedBoard.JetsonOrin);
        var found = Discover(new PowerOptions { Kind = kind, Channel = "VDD" }, recorded.Root);
        const string problem = "No hwmon sensor has the channel 'VDD': ina3221 has 'VDD_IN' (1), 'VDD_CPU_GPU_CV' (2), 'VDD_SOC' (3). Set Power:Channel to a label or number of these.";
        Assert.Contains($"hwmon: {problem}", found.Reasons);
        Assert.Equal(kind == PowerKind.Hwmon ? problem : null, found.Meter?.Problem);
    }

    [Fact]
    public void AnHwmonSensorThatDisappearsIsAProblemAndNoZero()
    {
        using var recorded = new RecordedBoard("""
            sys/class/hwmon/hwmon0/name: ina226
            sys/class/hwmon/hwmon0/power1_input: 2500000
            """);
        var meter = Discover(new PowerOptions(), recorded.Root).Meter!;
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(2.5, sample.Watts!.Value, 9);
        recorded.Remove("sys/class/hwmon/hwmon0");
        Assert.False(meter.TryRead(out _));
        Assert.Contains("/sys/class/hwmon/hwmon0/power1_input", meter.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void EnergyCountersOfAChipAreTakenBeforeItsPower()
    {
        using var recorded = new RecordedBoard("""
            sys/class/hwmon/hwmon0/name: ina238
            sys/class/hwmon/hwmon0/power1_input: 2500000
            sys/class/hwmon/hwmon0/energy1_input: 7000000
            """);
        Assert.True(Discover(new PowerOptions(), recorded.Root).Meter!.TryRead(out var sample));
        Assert.Equal(7, sample.CumulativeJoules);
    }

    [Fact]
    public void TheEstimateDoesNotFallWhenAChildIsMissingFromProcForAMoment()
    {
        var seconds = new Queue<double>([10, 12, 11, 13]);
        using var meter = new CpuTimeMeter(new PowerOptions { WattsPerCore = 2 }, _time, () => TimeSpan.FromSeconds(seconds.Dequeue()));
        var joules = Enumerable.Range(0, 4).Select(_ => meter.TryRead(out var sample) ? sample.CumulativeJoules : null).ToList();
        Assert.Equal([20, 24, 24, 26], joules);
    }

    [Fact]
    public void AnIioSensorIsScaledToWatts()
    {
        using var recorded = new RecordedBoard("""
            sys/bus/iio/devices/iio:device0/name: ina226
            sys/bus/iio/devices/iio:device0/in_power2_raw: 200
            sys/bus/iio/devices/iio:device0/in_power2_scale: 12.5
            """);
        var meter = Discover(new PowerOptions(), recorded.Root).Meter!;
        Assert.Equal("iio", meter.Provenance.Source);
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(2.5, sample.Watts!.Value, 9);
    }

    [Theory]
    [InlineData(nameof(PowerOptions.ShuntOhms), 0.0)]
    [InlineData(nameof(PowerOptions.I2cAddress), 200.0)]
    [InlineData(nameof(PowerOptions.SamplesPerSecond), 0.0)]
    [InlineData(nameof(PowerOptions.WattsPerCore), -1.0)]
    [InlineData(nameof(PowerOptions.IdleWatts), -1.0)]
    [InlineData(nameof(PowerOptions.Kind), 99.0)]
    public void AnOptionOutOfItsRangeIsNamed(string option, double value)
    {
        var options = new PowerOptions();
        switch (option)
        {
            case nameof(PowerOptions.ShuntOhms): options.ShuntOhms = value; break;
            case nameof(PowerOptions.I2cAddress): options.I2cAddress = (int)value; break;
            case nameof(PowerOptions.SamplesPerSecond): options.SamplesPerSecond = value; break;
            case nameof(PowerOptions.WattsPerCore): options.WattsPerCore = value; break;
            case nameof(PowerOptions.IdleWatts): options.IdleWatts = value; break;
            default: options.Kind = (PowerKind)(int)value; break;
        }
        var result = new PowerOptionsValidator().Validate(null, options);
        Assert.True(result.Failed);
        Assert.Contains(option, result.FailureMessage, StringComparison.Ordinal);
        Assert.True(new PowerOptionsValidator().Validate(null, new PowerOptions()).Succeeded);
    }

    public void Dispose() => _chip?.Dispose();

    private static (EnergyMethod, string, EnergyScope) Kind(IPowerMeter meter) =>
        (meter.Provenance.Method, meter.Provenance.Source, meter.Provenance.Scope);

    private DiscoveredMeters Discover(PowerOptions options, string root = "/nowhere") =>
        PowerMeters.Discover(options, _time, root, Open, () => (_adc, _adc is null ? "no vcgencmd here" : null), () => TimeSpan.FromSeconds(4));

    private I2cDevice Open(I2cConnectionSettings settings) => _chip = new RegisterChip(settings);
}
