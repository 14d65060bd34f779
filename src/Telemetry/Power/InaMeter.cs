using System.ComponentModel;
using System.Device.I2c;
using Dunlin.Contracts.Messages;
using Iot.Device.Adc;
using UnitsNet;

namespace Dunlin.Telemetry.Power;

/// <summary>
/// An INA219 or INA236 read over I²C through Iot.Device.Bindings. Watts = bus voltage × shunt voltage ÷ shunt resistance:
/// the chips' own power register depends on a calibration register that a brown-out clears.
/// </summary>
internal sealed class InaMeter : IPowerMeter
{
    // Data sheets: INA219 current gain error 0.5 % typical, INA236 0.1 %; with a 1 % shunt, rounded up.
    private const double Ina219Uncertainty = 0.02, Ina236Uncertainty = 0.015;

    private readonly PowerOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<I2cConnectionSettings, I2cDevice> _open;
    private readonly bool _isIna236;
    private Chip? _chip;

    public InaMeter(PowerKind kind, PowerOptions options, TimeProvider time, Func<I2cConnectionSettings, I2cDevice> open)
    {
        (_options, _time, _open, _isIna236) = (options, time, open, kind == PowerKind.Ina236);
        Provenance = new PowerProvenance(EnergyMethod.Measured, _isIna236 ? "ina236" : "ina219",
            options.FeedsWholeBoard ? EnergyScope.Board : EnergyScope.Rail,
            options.SamplesPerSecond ?? PowerMeters.UsualSamplesPerSecond, _isIna236 ? Ina236Uncertainty : Ina219Uncertainty,
            $"{(_isIna236 ? "INA236" : "INA219")} at 0x{options.I2cAddress:x2} on /dev/i2c-{options.I2cBus}, shunt {options.ShuntOhms} Ω");
    }

    public PowerProvenance Provenance { get; }
    public string? Problem { get; private set; }

    public bool TryRead(out PowerSample sample)
    {
        sample = default;
        try
        {
            _chip ??= Open();
            var watts = _chip.ReadBusVolts() * _chip.ReadShuntVolts() / _options.ShuntOhms;
            sample = PowerSample.OfWatts(_time.GetTimestamp(), watts);
            Problem = null;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception or PlatformNotSupportedException or InvalidOperationException or ArgumentException)
        {
            Problem = $"{Provenance.Description} does not answer ({e.Message}); check the wiring, the address, and that the agent's user is in group i2c, or use kind hwmon if a kernel driver owns the chip.";
            Close();
            return false;
        }
    }

    public void Dispose() => Close();

    private Chip Open()
    {
        var device = _open(new I2cConnectionSettings(_options.I2cBus, _options.I2cAddress));
        try
        {
            if (_isIna236)
            {
                var ina236 = new Ina236(device, ElectricResistance.FromOhms(_options.ShuntOhms), ElectricCurrent.FromAmperes(_options.MaximumAmperes));
                return new Chip(() => ina236.ReadBusVoltage().Volts, () => ina236.ReadShuntVoltage().Volts, ina236);
            }
            var ina219 = new Ina219(device);
            return new Chip(() => ina219.ReadBusVoltage().Volts, () => Signed(ina219.ReadShuntVoltage().Volts), ina219);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Iot.Device.Bindings 4.2 takes the INA219's signed register of 10 µV steps for an unsigned one.</summary>
    private static double Signed(double shuntVolts) => shuntVolts >= 0.32768 ? shuntVolts - 0.65536 : shuntVolts;

    private void Close()
    {
        try { _chip?.Device.Dispose(); }
        catch (IOException) { }
        _chip = null;
    }

    private sealed record Chip(Func<double> ReadBusVolts, Func<double> ReadShuntVolts, IDisposable Device);
}
