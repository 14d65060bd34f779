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
            $"{(_isIna236 ? "INA236" : "INA219")} at 0x{options.I2cAddress:x2} on {Bus}, shunt {options.ShuntOhms} Ω");
    }

    public PowerProvenance Provenance { get; }

    private string Bus => $"/dev/i2c-{_options.I2cBus}";

    public string? Problem { get; private set; }

    public IReadOnlyList<string> GuardedFiles => [Bus];

    public bool TryRead(out PowerSample sample)
    {
        sample = default;
        try
        {
            _chip ??= Open();
            var busVolts = _chip.ReadBusVolts();
            var steps = Signed(_chip.ReadShuntVolts() / _chip.StepVolts);
            Problem = Math.Abs(steps) >= _chip.MostSteps ? Saturated(_chip.MostSteps * _chip.StepVolts) : null;
            if (Problem is null) sample = PowerSample.OfWatts(_time.GetTimestamp(), busVolts * steps * _chip.StepVolts / _options.ShuntOhms);
            return Problem is null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception or PlatformNotSupportedException or InvalidOperationException or ArgumentException)
        {
            Problem = $"{Provenance.Description} does not answer ({e.Message}); check the wiring, the address, that {Bus} is there (on a Raspberry Pi: dtparam=i2c_arm=on in config.txt, and the module i2c-dev), and that the agent's user is in group i2c (adduser dunlin i2c, then a restart of the agent), or use kind hwmon if a kernel driver owns the chip.";
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
            return _isIna236 ? OpenIna236(device) : OpenIna219(device);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>At its widest range, ±320 mV, to which a brown-out returns too.</summary>
    private static Chip OpenIna219(I2cDevice device)
    {
        var chip = new Ina219(device);
        return new Chip(() => chip.ReadBusVoltage().Volts, () => chip.ReadShuntVoltage().Volts, 10e-6, 32_000, chip);
    }

    /// <summary>At its range of ±81.92 mV, the only one that Iot.Device.Bindings has. The current that it asks for sets the calibration alone.</summary>
    private Chip OpenIna236(I2cDevice device)
    {
        const double step = 2.5e-6;
        var highest = ElectricCurrent.FromAmperes(short.MaxValue * step / _options.ShuntOhms);
        var chip = new Ina236(device, ElectricResistance.FromOhms(_options.ShuntOhms), highest);
        return new Chip(() => chip.ReadBusVoltage().Volts, () => chip.ReadShuntVoltage().Volts, step, short.MaxValue, chip);
    }

    /// <summary>Iot.Device.Bindings 4.2 takes the signed register of either chip for an unsigned one.</summary>
    private static int Signed(double steps) => unchecked((short)(ushort)Math.Round(steps));

    private string Saturated(double volts) =>
        $"{Provenance.Description} is saturated: ±{volts * 1000:0.##} mV, {volts / _options.ShuntOhms:0.##} A, is the most that it tells; fit a smaller shunt and set Power:ShuntOhms to it.";

    private void Close()
    {
        try { _chip?.Device.Dispose(); }
        catch (IOException) { }
        _chip = null;
    }

    /// <param name="ReadBusVolts">Of the supply.</param>
    /// <param name="ReadShuntVolts">Of the register as if it had no sign.</param>
    /// <param name="StepVolts">One step of that register.</param>
    /// <param name="MostSteps">Where it is saturated.</param>
    /// <param name="Device">To dispose of.</param>
    private sealed record Chip(Func<double> ReadBusVolts, Func<double> ReadShuntVolts, double StepVolts, int MostSteps, IDisposable Device);
}
