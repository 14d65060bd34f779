using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Board;

/// <summary>The board's batteries below <c>/sys/class/power_supply</c> (Linux, Documentation/ABI/testing/sysfs-class-power).</summary>
internal sealed class BatteryReader(SysFiles files)
{
    /// <summary>From where on UPower calls a battery low.</summary>
    private const int LowPercent = 20;

    /// <summary>The fullest battery; null without one.</summary>
    public BatteryState? Read() => files.List("/sys/class/power_supply").Select(StateOf).OfType<BatteryState>().OrderBy(b => b.Low).ThenByDescending(b => b.Percent).FirstOrDefault();

    private BatteryState? StateOf(string supply)
    {
        // Of the scope "Device" is a mouse's.
        if (files.ReadText($"{supply}/type") != "Battery" || files.ReadText($"{supply}/scope") == "Device" || files.ReadLong($"{supply}/present") == 0) return null;
        var percent = files.ReadLong($"{supply}/capacity") is >= 0 and <= 100 and var read ? (int?)read : null;
        var isDischarging = files.ReadText($"{supply}/status") == "Discharging";
        var isEmpty = percent <= LowPercent || files.ReadText($"{supply}/capacity_level") is "Low" or "Critical";
        return new BatteryState { Percent = percent, Discharging = isDischarging, Low = isDischarging && isEmpty };
    }
}
