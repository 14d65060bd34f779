using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Telemetry.Power;

/// <summary>Which power meter to use and how it is wired.</summary>
public sealed class PowerOptions
{
    public const string Section = "Power";

    /// <summary>
    /// Readings that a telemetry window may hold: <see cref="SamplesPerSecond"/> × its seconds. All of them are kept until it ends,
    /// in 2 MB. The longest window, an hour, holds fewer at the meters' own rates.
    /// </summary>
    public const int MostReadingsPerWindow = 50_000;

    /// <summary>Which meter; <see cref="PowerKind.Auto"/> takes the best that answers. I²C sensors are used only when named: probing could disturb another chip.</summary>
    [EnumDataType(typeof(PowerKind))]
    public PowerKind Kind { get; set; } = PowerKind.Auto;

    /// <summary>Number of the I²C bus, as in <c>/dev/i2c-1</c>.</summary>
    [Range(0, 255)]
    public int I2cBus { get; set; } = 1;

    /// <summary>Seven-bit I²C address; INA219 and INA236 answer at 64 (0x40) to 79.</summary>
    [Range(0x08, 0x77)]
    public int I2cAddress { get; set; } = 0x40;

    /// <summary>Resistance of the shunt in ohms; an INA219 tells up to 0.32 V over it, an INA236 up to 0.08 V.</summary>
    [Range(0.0001, 10.0)]
    public double ShuntOhms { get; set; } = 0.1;

    /// <summary>The label or number of the hwmon channel to read; null takes the supply's input if the chip names one, else all channels together.</summary>
    [StringLength(64)]
    public string? Channel { get; set; }

    /// <summary>What the sensor feeds: true if all of the board's supply passes it. Only for ina219, ina236, hwmon and iio.</summary>
    public bool FeedsWholeBoard { get; set; }

    /// <summary>Readings per second; null takes the meter's own: 10, but 1 for the PMIC and the estimate.</summary>
    [Range(0.1, 1000.0)]
    public double? SamplesPerSecond { get; set; }

    /// <summary>Power in watts that a busy core is taken to add, for the estimate by CPU time. An assumption until calibrated; 0 switches the estimate off.</summary>
    [Range(0.0, 100.0)]
    public double WattsPerCore { get; set; } = 3;

    /// <summary>Power in watts when nothing runs; null: measured before the first model runs.</summary>
    [Range(0.0, 1000.0)]
    public double? IdleWatts { get; set; }

    /// <summary>A reading above this many watts is an error of the sensor.</summary>
    [Range(1.0, 100_000.0)]
    public double MaximumWatts { get; set; } = 1000;
}

/// <summary>A kind of meter, or the choice among them.</summary>
public enum PowerKind
{
    Auto = 0,

    /// <summary>Nothing, not even an estimate.</summary>
    None = 1,

    /// <summary>INA219 on an I²C bus.</summary>
    Ina219 = 2,

    /// <summary>INA236 on an I²C bus.</summary>
    Ina236 = 3,

    /// <summary>A chip with a kernel driver: INA219, INA226, INA3221 and others under <c>/sys/class/hwmon</c>.</summary>
    Hwmon = 4,

    /// <summary>A chip under <c>/sys/bus/iio</c>.</summary>
    Iio = 5,

    /// <summary>The Raspberry Pi 5's power management chip, through <c>vcgencmd</c>.</summary>
    Pmic = 6,

    /// <summary>Running average power limit counters of x86 packages.</summary>
    Rapl = 7,

    /// <summary>CPU time × <see cref="PowerOptions.WattsPerCore"/>.</summary>
    CpuTime = 8,
}

[OptionsValidator]
public sealed partial class PowerOptionsValidator : IValidateOptions<PowerOptions>;
