using System.Device.I2c;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Power;

namespace Dunlin.Telemetry.Tests.Power;

public sealed class InaMeterTests : IDisposable
{
    private RegisterChip? _chip;
    private Action<RegisterChip> _prepare = _ => { };

    [Fact]
    public void AnIna219GivesBusVoltageTimesShuntCurrentAlsoBackwards()
    {
        // 5.04 V on the bus (4 mV steps above three flag bits), 42 mV on the shunt (10 µV steps) of 0.1 Ω: 0.42 A.
        _prepare = chip => (chip.Registers[2], chip.Registers[1]) = (1260 << 3 | 0b010, 4200);
        var meter = MeterOf(new PowerOptions { Kind = PowerKind.Ina219 });
        Assert.Equal(("ina219", EnergyScope.Rail), (meter.Provenance.Source, meter.Provenance.Scope));
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(5.04 * 0.42, sample.Watts!.Value, 6);

        _chip!.Registers[1] = unchecked((ushort)-4200);
        Assert.True(meter.TryRead(out sample));
        Assert.Equal(-5.04 * 0.42, sample.Watts!.Value, 6);
    }

    [Fact]
    public void AnIna236GivesWattsAlsoBackwards()
    {
        // 5.0 V on the bus (1.6 mV steps), 20 mV on the shunt (2.5 µV steps) of 20 mΩ: 1 A.
        _prepare = chip => (chip.Registers[0x3f], chip.Registers[2], chip.Registers[1]) = (0xa080, 3125, 8000); // 0x3f: device id
        var meter = MeterOf(new PowerOptions { Kind = PowerKind.Ina236, ShuntOhms = 0.02, FeedsWholeBoard = true });
        Assert.Equal(("ina236", EnergyScope.Board), (meter.Provenance.Source, meter.Provenance.Scope));
        Assert.True(meter.TryRead(out var sample), meter.Problem);
        Assert.Equal(5.0, sample.Watts!.Value, 3);

        _chip!.Registers[1] = unchecked((ushort)-8000);
        Assert.True(meter.TryRead(out sample));
        Assert.Equal(-5.0, sample.Watts!.Value, 3);
    }

    [Theory]
    [InlineData(PowerKind.Ina219, 31_999, 32_000, "±320 mV, 3.2 A,")]
    [InlineData(PowerKind.Ina219, -31_999, -32_000, "±320 mV, 3.2 A,")]
    [InlineData(PowerKind.Ina236, 32_766, 32_767, "±81.92 mV, 0.82 A,")]
    [InlineData(PowerKind.Ina236, -32_766, -32_768, "±81.92 mV, 0.82 A,")]
    public void AShuntVoltageBeyondTheChipsRangeIsAProblemAndNoNumber(PowerKind kind, int last, int beyond, string range)
    {
        _prepare = chip => (chip.Registers[0x3f], chip.Registers[2], chip.Registers[1]) = (0xa080, 1250 << 3, unchecked((ushort)beyond));
        var meter = MeterOf(new PowerOptions { Kind = kind });
        Assert.False(meter.TryRead(out _));
        Assert.Contains($"is saturated: {range} is the most that it tells; fit a smaller shunt", meter.Problem, StringComparison.Ordinal);
        _chip!.Registers[1] = unchecked((ushort)last);
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(Math.Sign(last), Math.Sign(sample.Watts!.Value));
        Assert.Null(meter.Problem);
    }

    [Theory]
    [InlineData(0.0001)]
    [InlineData(0.0005)]
    [InlineData(0.002)]
    [InlineData(0.008)]
    [InlineData(0.015)]
    [InlineData(0.1)]
    [InlineData(0.33)]
    [InlineData(1)]
    [InlineData(10)]
    public void AnIna236TakesAnyShuntThatTheOptionsDo(double ohms)
    {
        _prepare = chip => (chip.Registers[0x3f], chip.Registers[2], chip.Registers[1]) = (0xa080, 3125, 8000);
        var meter = MeterOf(new PowerOptions { Kind = PowerKind.Ina236, ShuntOhms = ohms });
        Assert.True(meter.TryRead(out var sample), meter.Problem);
        Assert.Equal(5.0 * 0.02 / ohms, sample.Watts!.Value, tolerance: 1e-6 / ohms);
    }

    [Fact]
    public void ASensorThatVanishesSaysSoAndComesBackByItself()
    {
        _prepare = chip => (chip.Registers[2], chip.Registers[1]) = (1260 << 3, 4200);
        var meter = MeterOf(new PowerOptions { Kind = PowerKind.Ina219, I2cBus = 7, I2cAddress = 0x41 });
        _chip!.Vanished = true;
        Assert.False(meter.TryRead(out _));
        Assert.Contains("INA219 at 0x41 on /dev/i2c-7", meter.Problem, StringComparison.Ordinal);
        _prepare = chip => (chip.Registers[2], chip.Registers[1]) = (1260 << 3, 2100);
        Assert.True(meter.TryRead(out var sample));
        Assert.Equal(5.04 * 0.21, sample.Watts!.Value, 6);
        Assert.Null(meter.Problem);
    }

    public void Dispose() => _chip?.Dispose();

    private IPowerMeter MeterOf(PowerOptions options) =>
        PowerMeters.Discover(options, TimeProvider.System, "/nowhere", Open, () => (null, null), () => null).Meter!;

    private I2cDevice Open(I2cConnectionSettings settings)
    {
        _chip = new RegisterChip(settings);
        _prepare(_chip);
        return _chip;
    }
}
